import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from './axe';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { Client, PASSWORD, REGISTRY } from './registry';

const PROJECT = `tide-${Date.now().toString(36)}`;
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  const admin = new Client();
  await admin.manage('POST', 'v2.0/projects', { project_name: PROJECT, metadata: { public: 'false' } });
  await admin.image(`${PROJECT}/buoy`, 'v1', [300]);
});
afterAll(() => browser.close());

/** Ends the window's session by the API. */
async function revoke(window: BrowserContext): Promise<void> {
  const found = (await (await window.request.get('/api/roadstead/v1/users/current/sessions')).json()) as { id: string; current: boolean }[];
  const own = found.find((one) => one.current);
  await new Client().manage('DELETE', `roadstead/v1/users/current/sessions/${own?.id}`);
}

test('a form outlives its session: signing in again above it, and sending it once more', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/settings`);
  await settled(page);
  await page.getByRole('button', { name: 'New label' }).click();
  const form = page.getByRole('dialog', { name: 'New label', includeHidden: true });
  await form.getByLabel('Name').fill('late');
  await revoke(window);
  await form.getByRole('button', { name: 'Create' }).click();
  const again = page.getByRole('dialog', { name: 'Sign in again' });
  await again.waitFor();
  expect(await violations(page)).toEqual([]);
  expect(await again.getByLabel('User', { exact: true }).inputValue()).toBe('admin');
  expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).name)).toBe('password');
  await page.keyboard.type('wrong wrong wrong');
  await page.keyboard.press('Enter');
  await again.getByText('The user name or the password is wrong.').waitFor();
  await again.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await again.waitFor({ state: 'detached' });
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Create'); // where it was
  expect(await form.getByLabel('Name').inputValue()).toBe('late');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Delete late' }).waitFor();
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).toBe('{}');

  // What a page asks for by itself opens the dialog as well; who cancels comes back to the page, without the form.
  await page.getByRole('button', { name: 'New label' }).click();
  await form.getByLabel('Name').fill('lost');
  await revoke(window);
  const lookAgain = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
  await expect.poll(async () => (await lookAgain(), again.count())).toBe(1); // as when a tab is looked at after a while
  expect(await page.locator('dialog[open]').count()).toBe(2);
  await page.keyboard.press('Escape');
  await page.getByText('Your session has ended.').waitFor();
  await page.locator('input[name=name]').fill('admin');
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/ui/p/${PROJECT}/settings`);
  await page.getByRole('button', { name: 'Delete late' }).waitFor();
  expect(errors).toEqual([]);
  await window.close();
});

test('a provider signs in again in another tab, and the form stays', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  const providers = [{ id: 'harbour', name: 'Harbour Office', url: '/c/oidc/login' }];
  await page.route('**/sign-in/providers', (route) => route.fulfill({ json: providers }));
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/settings`);
  await settled(page);
  await page.getByRole('button', { name: 'New label' }).click();
  const form = page.getByRole('dialog', { name: 'New label', includeHidden: true });
  await form.getByLabel('Name').fill('patient');
  await revoke(window);
  await page.keyboard.press('Enter');
  const again = page.getByRole('dialog', { name: 'Sign in again' });
  const link = again.getByRole('link', { name: 'Sign in with Harbour Office' });
  expect(await link.getAttribute('target')).toBe('_blank');
  expect(await violations(page)).toEqual([]);
  await again.getByRole('button', { name: 'I have signed in' }).click();
  await again.getByText('You are not signed in yet.').waitFor();
  // As the provider's answer in another tab would: the browser has a session again.
  const answer = await window.request.post('/api/roadstead/v1/session', { data: { name: 'admin', password: PASSWORD } });
  expect(answer.status()).toBe(201);
  await again.getByRole('button', { name: 'I have signed in' }).click();
  await again.waitFor({ state: 'detached' });
  await expect.poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement).value)).toBe('patient');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Delete patient' }).waitFor();
  await window.close();
});

test('signing out in one tab empties the others, and signing in there fills them', async () => {
  const window = await newWindow(browser);
  const [first, second] = [await window.newPage(), await window.newPage()];
  await signIn(first);
  await second.goto(`/ui/p/${PROJECT}/r/buoy`);
  await second.getByRole('link', { name: 'v1', exact: true }).waitFor();
  await first.getByRole('button', { name: /Account of/ }).click();
  await first.getByRole('button', { name: 'Sign out' }).click();
  await second.getByText('Your session has ended.').waitFor();
  expect(await second.getByText('v1', { exact: true }).count()).toBe(0);
  await signIn(first);
  await second.waitForURL(`**/ui/p/${PROJECT}/r/buoy`);
  await second.getByRole('link', { name: 'v1', exact: true }).waitFor();
  await window.close();
});

test('a tab of an earlier build goes on, offers the new one, and loads it where a part is gone', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await page.goto('/ui/projects');
  await settled(page);
  await page.evaluate(() => ((window as { tab?: string }).tab = 'the same'));
  // From here on the registry has another build: its responses say so, and it has none of the old files.
  await page.route('**/api/**', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'x-roadstead-build': 'a-later-one' } });
  });
  await page.getByRole('link', { name: PROJECT }).waitFor();
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('tide');
  await page.getByText('This registry has a newer console.').waitFor();
  expect(await page.evaluate(() => (window as { tab?: string }).tab)).toBe('the same');

  let gone = 0;
  const lacking = async (times: number) =>
    page.route('**/assets/repository-*.js', async (route) => {
      gone += 1;
      if (gone <= times) await route.fulfill({ status: 404, body: 'gone' });
      else await route.continue();
    });
  await lacking(1);
  await page.getByRole('link', { name: PROJECT }).click();
  await page.getByRole('link', { name: 'buoy', exact: true }).click();
  await page.getByRole('link', { name: 'v1', exact: true }).waitFor();
  expect(page.url()).toContain(`/ui/p/${PROJECT}/r/buoy`);
  expect(await page.evaluate(() => (window as { tab?: string }).tab)).toBeUndefined();
  expect(gone).toBeGreaterThan(1);
  await window.close();
});

test('a part that stays gone is said, and the rest of the console goes on', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await page.route('**/assets/repository-*.js', (route) => route.fulfill({ status: 404, body: 'gone' }));
  await page.goto(`/ui/p/${PROJECT}/r/buoy`);
  await page.getByRole('alert').getByRole('button', { name: 'Try again' }).waitFor();
  await page.getByRole('link', { name: 'Projects' }).first().click();
  await page.getByRole('link', { name: PROJECT }).waitFor();
  await window.close();
});

test('an asset that does not exist is a 404 that nobody stores, and never a page', async () => {
  const answer = await fetch(`${REGISTRY}/assets/index-00000000.js`);
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'no-store']);
  expect(await answer.text()).not.toContain('<html');
  const page = await fetch(`${REGISTRY}/ui/p/anything`);
  expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache']);
});
