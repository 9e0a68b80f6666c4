import { setTimeout } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from './axe';
import { errorsOf, newWindow, openBrowser, settled } from './browser';
import { Client, REGISTRY } from './registry';

/** npm's provider, which tests/oidc_provider runs: people sign in there by their name alone. */
const ISSUER = process.env['OIDC_ISSUER'] ?? '';
const CLIENT = process.env['OIDC_CLIENT'] ?? '';
const SECRET = process.env['OIDC_SECRET'] ?? '';
const PERSON = process.env['OIDC_PERSON'] ?? ''; // whom no journey of another day has been
const HEEDED = 61_000; // milliseconds until every process of the registry heeds a change of the configuration
const FURTHER = 'roadstead/v1/oidc-providers/labs';

const admin = new Client();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
  await admin.manage('PUT', 'v2.0/configurations', {
    oidc_name: 'Harbour Office',
    oidc_endpoint: ISSUER,
    oidc_client_id: CLIENT,
    oidc_client_secret: SECRET,
    oidc_scope: 'openid,profile,email',
    oidc_groups_claim: 'groups',
    oidc_auto_onboard: false,
    oidc_logout: true,
  });
  await admin.manage('PUT', FURTHER, { name: 'The Labs', endpoint: 'https://labs.example.com', client_id: 'registry' });
  await setTimeout(HEEDED);
});
afterAll(async () => {
  await admin.manage('DELETE', FURTHER);
  const first = { oidc_name: '', oidc_endpoint: '', oidc_client_id: '', oidc_client_secret: '', oidc_scope: 'openid' };
  await admin.manage('PUT', 'v2.0/configurations', { ...first, oidc_groups_claim: '', oidc_logout: false });
  await browser.close();
});

/** Presses the provider's button, and signs in there unless the provider knows the person still. */
async function signInBy(page: Page, person: string): Promise<void> {
  await page.getByRole('link', { name: 'Sign in with Harbour Office' }).click();
  await page.waitForURL((url) => url.origin === ISSUER);
  await page.getByLabel('Name').fill(person);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL((url) => url.origin === REGISTRY);
}

async function userOf(window: BrowserContext): Promise<string | undefined> {
  const answer = await window.request.get('/api/roadstead/v1/session');
  return ((await answer.json()) as { user: { name: string } | null }).user?.name;
}

test('somebody signs in by a provider, chooses a name, makes an access token, and is really signed out', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await page.goto('/ui/sign-in?back=%2Fui%2Faccount%2Fprofile');
  await settled(page);
  const labs = page.getByRole('link', { name: 'Sign in with The Labs' });
  expect(await labs.getAttribute('href')).toBe('/c/oidc/login?provider=labs&redirect_url=%2Fui%2Faccount%2Fprofile');
  expect(await violations(page)).toEqual([]);

  await signInBy(page, PERSON);
  await page.waitForURL('**/ui/choose-name');
  await page.getByText('Harbour Office has signed you in.').waitFor();
  expect(await violations(page)).toEqual([]);
  expect(await userOf(window)).toBeUndefined();
  const field = page.getByLabel('User', { exact: true });
  expect(await field.inputValue()).toBe(PERSON);
  for (const [wrong, said] of [
    ['admin', 'The name admin belongs to another account.'],
    ['Grace', 'Grace cannot be a name'],
  ] as const) {
    await field.fill(wrong);
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('alert').getByText(said).waitFor();
  }
  expect(await violations(page)).toEqual([]);
  await field.fill(PERSON);
  await page.getByRole('button', { name: 'Create the account' }).click();

  await page.waitForURL('**/ui/account/profile');
  await settled(page);
  expect(await page.getByLabel('E-mail').inputValue()).toBe('grace@example.org');
  expect(await page.getByLabel('Real name').inputValue()).toBe('Grace Hopper');
  expect(await userOf(window)).toBe(PERSON);

  await page.goto('/ui/projects');
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  await settled(page);

  await page.goto('/ui/account');
  await settled(page);
  await page.getByRole('button', { name: 'New token' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('laptop');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByText('It is shown once.').waitFor();
  const token = await page.locator('code', { hasText: 'rst_' }).first().innerText();
  const answer = await fetch(`${REGISTRY}/token?service=roadstead`, {
    headers: { Authorization: `Basic ${Buffer.from(`${PERSON}:${token}`).toString('base64')}` },
  });
  expect(answer.status).toBe(200);

  await page.goto('/ui/projects');
  await settled(page);
  await page.getByRole('button', { name: /Account of/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL((url) => url.origin === ISSUER);
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.waitForURL('**/ui/sign-in');
  expect(await userOf(window)).toBeUndefined();
  expect((await window.cookies(REGISTRY)).map((cookie) => cookie.name)).toEqual([]);

  await settled(page);
  await signInBy(page, PERSON); // the provider asks again: it has forgotten who it was
  await page.getByRole('button', { name: `Account of ${PERSON}` }).waitFor();
  expect(await userOf(window)).toBe(PERSON);
  expect(errors).toEqual([]);
  await window.close();
});

test('who does not want an account leaves no trace, and who cancels at the provider is told so', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await page.goto('/ui/sign-in');
  await signInBy(page, 'linus');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForURL('**/ui/sign-in');
  await page.goto('/ui/choose-name');
  await page.getByRole('alert').getByText('Nobody is choosing a name in this browser').waitFor();
  expect(await violations(page)).toEqual([]);
  const found = (await (await admin.manage('GET', 'v2.0/users?q=username%3Dlinus')).json()) as unknown[];
  expect(found).toEqual([]);

  await window.clearCookies();
  await page.goto('/ui/sign-in');
  await page.getByRole('link', { name: 'Sign in with Harbour Office' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  await page.getByText('access_denied').waitFor();
  await page.getByRole('link', { name: 'Back' }).click();
  await page.waitForURL('**/ui/sign-in');
  await window.close();
});
