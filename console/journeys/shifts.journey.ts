import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newWindow, openBrowser, settled, signIn } from './browser';
import { fill } from './harbour';
import { PAGES } from './pages';

const MOST = 0.1; // the cumulative layout shift up to which a page counts as good: https://web.dev/articles/cls

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  await fill();
});
afterAll(() => browser.close());

interface Shift {
  by: number;
  /** What moved, from where to where. */
  what: string[];
}

/** Notes what moves in each document that the page opens from now on. */
async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    interface Entry extends PerformanceEntry {
      value: number;
      sources: { node: Node | null; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[];
    }
    const seen: { by: number; what: string[] }[] = [];
    (window as { shifts?: typeof seen }).shifts = seen;
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as Entry[]) {
        const what = sources.map(({ node, previousRect, currentRect }) => {
          const element = node instanceof Element ? node : node?.parentElement;
          return `${element?.outerHTML.slice(0, 80)}: ${[previousRect, currentRect].map(({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ')).join(' to ')}`;
        });
        seen.push({ by: value, what });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

/** Lets answers of the API come one by one, each shown before the next comes, so that whatever can move does. */
async function answerOneByOne(page: Page, next: 'first' | 'last'): Promise<void> {
  const waiting: Route[] = [];
  let busy = false;
  const work = async () => {
    if (busy) return;
    busy = true;
    const take = () => (next === 'first' ? waiting.shift() : waiting.pop());
    for (let route = take(); route; route = take()) {
      try {
        await route.fulfill({ response: await route.fetch() });
        await page.evaluate(
          (url) =>
            new Promise<void>((painted) => {
              // The console has the answer once the browser has its timing; then it takes a turn and two frames to be seen.
              const there = () =>
                performance.getEntriesByName(url).length
                  ? setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => painted())))
                  : requestAnimationFrame(there);
              there();
            }),
          route.request().url(),
        );
      } catch {
        // The page is closed or another document by now, which nothing waits for.
      }
    }
    busy = false;
  };
  await page.route('**/api/**', (route) => {
    waiting.push(route);
    void work();
  });
}

test.each(['first', 'last'] as const)('no page shifts on a phone while its answers come, of those that wait the %s one next', async (next) => {
  const window = await newWindow(browser, { width: 360, height: 740 });
  const page = await window.newPage();
  await signIn(page);
  await settled(page);
  await watchShifts(page);
  await answerOneByOne(page, next);
  const found: Record<string, Shift[]> = {};
  for (const [name, path] of PAGES) {
    await page.goto(path);
    await settled(page);
    const shifts = await page.evaluate(() => (window as unknown as { shifts: Shift[] }).shifts);
    if (shifts.reduce((sum, one) => sum + one.by, 0) > MOST) found[name] = shifts;
  }
  expect(found).toEqual({});
  await window.close();
});
