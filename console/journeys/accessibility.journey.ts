import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations, violationsOfColours } from './axe';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { fill } from './harbour';
import { DIALOGS, PAGES } from './pages';
import { ADMIN, Client, PASSWORD } from './registry';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  await fill();
});
afterAll(() => browser.close());

const HIGH = 150; // pixels of a row, whose text has no room beside the other columns if it is higher

test('no page has a violation in either theme, is wider than a phone, or is squeezed there', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  const found: Record<string, string[]> = {};
  const inBothThemes = async (name: string) => {
    found[name] = await violations(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    found[`${name}, dark`] = await violationsOfColours(page);
    await page.emulateMedia({ colorScheme: 'light' });
  };
  const onAPhone = async (name: string) => {
    const size = page.viewportSize();
    await page.setViewportSize({ width: 360, height: 740 });
    found[`${name}, on a phone`] = await page.evaluate((high) => {
      const wider = [document.documentElement, ...document.querySelectorAll('.table')]
        .map((one) => ({ what: one.getAttribute('class') ?? 'the page', by: one.scrollWidth - one.clientWidth }))
        .filter(({ by }) => by > 0)
        .map(({ what, by }) => `${what} is wider by ${by} px`);
      const squeezed = [...document.querySelectorAll('tbody tr')]
        .filter((row) => row.getBoundingClientRect().height > high)
        .map((row) => `squeezed: ${row.textContent?.slice(0, 80)}`);
      return [...wider, ...squeezed];
    }, HIGH);
    if (size) await page.setViewportSize(size);
  };
  await page.goto('/ui/sign-in');
  await settled(page);
  await inBothThemes('sign-in');
  await signIn(page);
  for (const [name, path] of PAGES) {
    await page.goto(path);
    await settled(page);
    await inBothThemes(name);
    await onAPhone(name);
  }
  for (const [name, path, open] of DIALOGS) {
    await page.goto(path);
    await settled(page);
    await open(page);
    await page.locator('dialog[open], [popover]:popover-open').first().waitFor();
    await inBothThemes(name);
  }
  expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length))).toEqual({});
  expect(errors).toEqual([]);
  await window.close();
});

test('colours that the system forces leave every chosen thing to be seen', async () => {
  const window = await newWindow(browser, { forcedColors: 'active' });
  const page = await window.newPage();
  await signIn(page);
  await page.goto('/ui/admin/quotas');
  await settled(page);
  const seen = await page.evaluate(() => {
    const backgroundOf = (selector: string) => getComputedStyle(document.querySelector(selector) as Element).backgroundColor;
    const lineOf = (selector: string) => getComputedStyle(document.querySelector(selector) as Element).borderBottomColor;
    return {
      meter: backgroundOf('.meter > i') !== backgroundOf('.meter'),
      navigation: backgroundOf('.top nav a[aria-current]') !== backgroundOf('.top nav a:not([aria-current])'),
      tab: lineOf('.tabs a[aria-current]') !== lineOf('.tabs a:not([aria-current])'),
    };
  });
  expect(seen).toEqual({ meter: true, navigation: true, tab: true });
  await window.close();
});

test('nothing moves for somebody who asks for less motion', async () => {
  const window = await newWindow(browser); // every window of the journeys does
  const page = await window.newPage();
  await page.route('**/api/v2.0/projects**', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await route.continue();
  });
  await signIn(page);
  await page.goto('/ui/projects');
  await page.locator('.skeleton').first().waitFor();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  await window.close();
});

test('a keyboard is enough: to skip, to search, to open and to close', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await page.goto('/ui/projects');
  await settled(page);
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.className)).toBe('skip');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').waitFor();
  await page.keyboard.type('front');
  await page.getByRole('option', { name: /harbour\/web\/frontend/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/p/harbour/r/web/frontend');
  await settled(page);
  const button = page.getByRole('button', { name: 'Appearance and language' });
  await button.focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.textContent === 'As the system');
  await page.keyboard.press('ArrowDown');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Light');
  await page.keyboard.press('Escape');
  expect(await button.evaluate((one) => one === document.activeElement)).toBe(true);
  await window.close();
});

test('a member is added and an artifact deleted and brought back without a mouse', async () => {
  const project = `keys-${Date.now().toString(36)}`;
  const admin = new Client();
  await admin.manage('POST', 'v2.0/projects', { project_name: project, metadata: { public: 'false' } });
  await admin.image(`${project}/chart`, 'v1', [300]);
  const window = await newWindow(browser);
  const page = await window.newPage();
  /** Presses Tab until what is focused has this name. */
  const tabTo = async (name: string | RegExp) => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      const now = await page.evaluate(() => {
        const at = document.activeElement as HTMLElement;
        return (at.getAttribute('aria-label') ?? at.innerText ?? '').trim() || (at as HTMLInputElement).labels?.[0]?.textContent || '';
      });
      if (typeof name === 'string' ? now === name : name.test(now)) return;
    }
    throw new Error(`Tab does not lead to ${String(name)}`);
  };
  await page.goto('/ui/sign-in');
  await settled(page);
  await page.keyboard.type(ADMIN);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/ui');
  await settled(page);
  await tabTo('Projects');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/projects');
  await settled(page);
  await page.keyboard.press('/');
  await page.keyboard.type(project);
  await page.waitForURL(`**q=${project}**`);
  await settled(page);
  await tabTo(project);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/ui/p/${project}`);
  await settled(page);
  await tabTo('Members');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/ui/p/${project}/members`);
  await settled(page);
  await tabTo('Add a member');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('brendan');
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).and(page.locator(':enabled')).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByText('brendan is a member').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('cell', { name: 'User brendan' }).waitFor();

  await page.goto(`/ui/p/${project}/r/chart/-/a/v1`);
  await settled(page);
  await tabTo('Delete');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).and(page.locator(':enabled')).waitFor();
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel'); // what harms is not under the finger
  await tabTo('Delete');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/ui/p/${project}/r/chart`);
  await tabTo('Undo');
  await page.keyboard.press('Enter');
  await page.getByText('It is back.').waitFor();
  await window.close();
});
