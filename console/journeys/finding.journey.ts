import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { fill, PEOPLE_PASSWORD } from './harbour';
import { Client } from './registry';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  await fill();
});
afterAll(() => browser.close());

const admin = new Client();

test('a tag, a digest and a label are found, by those who may see them alone', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page, 'ada', PEOPLE_PASSWORD);
  await settled(page);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('api:2.1');
  await page.getByRole('option', { name: 'harbour/api:2.1.0' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ui/p/harbour/r/api/-/a/2.1.0');
  await settled(page);
  const { digest } = (await (await admin.manage('GET', 'v2.0/projects/harbour/repositories/api/artifacts/2.1.0')).json()) as { digest: string };
  await page.goto(`/ui/search?q=${encodeURIComponent(digest)}`);
  await page.getByRole('main').getByRole('link', { name: 'harbour/api' }).click();
  await page.waitForURL(`**/-/a/${encodeURIComponent(digest)}`);
  await page.goto('/ui/search?q=approved');
  await page.getByRole('link', { name: 'approved' }).click();
  await page.getByRole('heading', { name: 'Labelled “approved”' }).waitFor();
  await page.getByRole('link', { name: 'harbour', exact: true }).click();
  await page.getByText('Nothing here has this label').waitFor();

  await page.goto('/ui/search?q=lighthouse'); // a project in which ada has no role
  await page.getByText('Nothing matches “lighthouse”.').waitFor();
  expect(errors).toEqual([]);
  await window.close();
});

test('what is typed last counts: in a search, in two filters, and not after somebody has gone on', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await settled(page);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('frontend');
  await page.getByRole('option', { name: /harbour\/web\/frontend/ }).waitFor();
  await page.route('**/api/roadstead/v1/search?q=library&limit=8', () => undefined); // is never answered
  await page.getByRole('combobox').fill('library');
  await page.keyboard.press('Enter'); // while what the search found before is shown
  await page.waitForURL('**/ui/search?q=library');

  await page.goto('/ui/p/harbour/activity');
  await settled(page);
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('api');
  await page.getByRole('searchbox', { name: 'Filter by who' }).fill('ada');
  await page.waitForURL((url) => url.searchParams.get('q') === 'api' && url.searchParams.get('who') === 'ada');

  await page.goto('/ui/projects');
  await settled(page);
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('harb');
  await page.getByRole('link', { name: 'Administration' }).click();
  await page.waitForURL('**/ui/admin');
  await page.evaluate(() => new Promise((later) => setTimeout(later, 500))); // a timer of the filter would be over before this one
  expect(new URL(page.url()).pathname).toBe('/ui/admin');
  await window.close();
});

test('home says that a robot expires, and leads to where it gets another duration and its limits', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  const name = `visitor-${Date.now().toString(36)}`;
  const access = [{ resource: 'repository', action: 'pull' }];
  const made = await admin.manage('POST', 'v2.0/robots', {
    name,
    level: 'project',
    duration: 3,
    permissions: [{ kind: 'project', namespace: 'harbour', access }],
  });
  const { id } = (await made.json()) as { id: number };
  await signIn(page, 'ada', PEOPLE_PASSWORD);
  const warning = page.getByRole('link', { name: `The robot robot$harbour+${name} is about to expire` });
  await warning.click();
  await page.waitForURL('**/ui/p/harbour/robots');
  await page.getByRole('button', { name: `Actions for robot$harbour+${name}` }).click();
  await page.getByRole('button', { name: 'Rights and expiry' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Only in repositories like').fill('web/**');
  await dialog.getByLabel('Pull and push').check();
  await dialog.getByLabel('Expires').selectOption('365');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText(`robot$harbour+${name} is changed.`).waitFor();
  const { permissions } = (await (await admin.manage('GET', `roadstead/v1/robots/${id}`)).json()) as {
    permissions: { access: { action: string }[]; repositories: string[] }[];
  };
  expect(permissions.map((one) => [one.access.map((right) => right.action).sort(), one.repositories])).toEqual([[['pull', 'push'], ['web/**']]]);
  await page.goto('/ui');
  await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
  await settled(page);
  expect(await warning.count()).toBe(0);
  expect(errors).toEqual([]);
  await window.close();
});

test('who pulled an artifact is told to an administrator of the project, and to nobody else', async () => {
  await new Client('brendan', PEOPLE_PASSWORD).pull('harbour/api', '2.0.1');
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page, 'ada', PEOPLE_PASSWORD);
  await expect
    .poll(
      async () => {
        await page.goto('/ui/p/harbour/r/api/-/a/2.0.1');
        await settled(page);
        return page.getByRole('listitem').filter({ hasText: 'brendan' }).filter({ hasText: /pull/ }).count();
      },
      { timeout: 300_000, interval: 2_000 },
    )
    .toBeGreaterThan(0);
  await window.clearCookies();
  await signIn(page, 'brendan', PEOPLE_PASSWORD);
  await page.goto('/ui/p/harbour/r/api/-/a/2.0.1');
  await settled(page);
  expect(await page.getByText('Who pulled it').count()).toBe(0);
  await page.goto('/ui/p/harbour/policies'); // a developer writes retention, and may not see what never changes
  await settled(page);
  expect(await page.getByRole('alert').count()).toBe(0);
  await page.goto('/ui/p/harbour/settings');
  await page.getByText('Your role does not show this page').waitFor();
  await window.clearCookies();
  await page.goto('/ui/p/library/r/alpine/-/a/3.22'); // of a public project, for somebody without an account
  await settled(page);
  await page.getByText('docker pull').waitFor();
  expect(new URL(page.url()).pathname).toBe('/ui/p/library/r/alpine/-/a/3.22');
  await page.goto('/ui/p/harbour?q=a');
  await page.waitForURL('**/ui/sign-in?back=%2Fui%2Fp%2Fharbour%3Fq%3Da'); // no session has ended
  await window.close();
});

test('a session somewhere else is ended from here', async () => {
  const [here, there] = [await newWindow(browser), await newWindow(browser)];
  const [page, other] = [await here.newPage(), await there.newPage()];
  await signIn(other, 'mei', PEOPLE_PASSWORD);
  await signIn(page, 'mei', PEOPLE_PASSWORD);
  await page.goto('/ui/account/sessions');
  await settled(page);
  await page.getByRole('button', { name: 'End all other sessions' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
  await page.getByText('All other sessions have ended.').waitFor();
  await expect.poll(() => page.getByRole('row').count()).toBe(2); // the head, and this session
  await other.goto('/ui/account/sessions');
  await other.waitForURL('**/ui/sign-in**');
  await page.reload();
  await page.getByText('this one').waitFor();
  await Promise.all([here.close(), there.close()]);
});
