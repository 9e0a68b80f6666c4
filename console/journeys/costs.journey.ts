import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newWindow, openBrowser, settled, signIn } from './browser';
import { fill } from './harbour';
import { PAGES } from './pages';
import { Client } from './registry';

/** The calls of each page, which tests/unit/functions/management/test_console_costs.py sends to count their reads. */
const EXPECTED = JSON.parse(readFileSync(join(import.meta.dirname, 'calls.json'), 'utf8')) as Record<string, string[]>;
let browser: Browser;
let id = 0;
beforeAll(async () => {
  browser = await openBrowser();
  await fill();
  id = ((await (await new Client().manage('GET', 'v2.0/projects/harbour')).json()) as { project_id: number }).project_id;
});
afterAll(() => browser.close());

/** A request as `calls.json` has it: what differs between two registries is named, not numbered. */
function called(method: string, url: string): string {
  const { pathname, search } = new URL(url);
  return `${method} ${decodeURIComponent(pathname + search)}`
    .replaceAll(String(id), '{harbour}')
    .replace(/sha256:[0-9a-f]{64}/g, '{digest}')
    .replace(/(policies|usergroups)\/\d+/g, '$1/{id}');
}

test('no page makes a call that is not counted', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  const found: Record<string, string[]> = {};
  for (const [name, path] of PAGES) {
    const calls = new Set<string>();
    await page.goto('about:blank');
    page.removeAllListeners('request');
    page.on('request', (request) => {
      if (new URL(request.url()).pathname.startsWith('/api/')) calls.add(called(request.method(), request.url()));
    });
    await page.goto(path);
    await settled(page);
    // On a busy machine a page rests between two of its calls.
    await expect.poll(() => calls.size, { timeout: 60_000 }).toBeGreaterThanOrEqual(EXPECTED[name]?.length ?? 0).catch(() => undefined);
    found[name] = [...calls].sort();
  }
  expect(found).toEqual(EXPECTED);
  await window.close();
});
