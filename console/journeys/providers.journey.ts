import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { violations } from './axe';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { Client } from './registry';

const admin = new Client();
const configure = (values: object) => admin.manage('PUT', 'v2.0/configurations', values);
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterEach(() => configure({ oidc_endpoint: '', oidc_client_id: '', oidc_name: '', ldap_url: '', ldap_search_dn: '' }));
afterAll(() => browser.close());

test('an administrator names a provider, and people find its button', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await page.goto('/ui/sign-in');
  await settled(page);
  expect(await page.getByRole('link', { name: /^Sign in with/ }).count()).toBe(0);

  await signIn(page, undefined, undefined, '/ui/sign-in?back=%2Fui%2Fadmin%2Fproviders');
  await settled(page);
  await page.getByLabel('Issuer').fill('https://login.example.com');
  await page.getByLabel('Client id').fill('registry');
  await page.getByLabel('Name on the button').fill('Harbour Office');
  await page.locator('form', { hasText: 'Issuer' }).getByRole('button', { name: 'Save' }).click();
  await page.getByText('The configuration is saved.').waitFor();

  // Where a provider can be, its session may have to end, too: the browser is sent there, and comes back.
  const left = page.waitForRequest((request) => new URL(request.url()).pathname === '/c/log_out');
  await page.getByRole('button', { name: /Account of/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await left;
  await page.waitForURL('**/ui/sign-in');
  await page.goto('/ui/sign-in?back=%2Fui%2Fadmin%2Fusers');
  const link = page.getByRole('link', { name: 'Sign in with Harbour Office' });
  expect(await link.getAttribute('href')).toBe('/c/oidc/login?redirect_url=%2Fui%2Fadmin%2Fusers');
  await page.goto('/ui/admin/users');
  await page.getByText('Only system administrators').waitFor();
  expect(errors).toEqual([]);
  await window.close();
});

test('a test of what stands in the form says which step failed and what to do, and saves nothing', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page, undefined, undefined, '/ui/sign-in?back=%2Fui%2Fadmin%2Fproviders');
  await settled(page);
  const oidc = page.locator('form', { hasText: 'Issuer' });
  expect(await oidc.getByRole('button', { name: 'Test' }).isDisabled()).toBe(true);
  await page.getByLabel('Issuer').fill('https://127.0.0.1:8443');
  await oidc.getByRole('button', { name: 'Test' }).click();
  await oidc.getByText('It failed at “discovery”.').waitFor();
  await oidc.getByText('/.well-known/openid-configuration:').waitFor();

  const ldap = page.locator('form', { hasText: 'Verify certificates' });
  await page.getByLabel('Servers').fill('ldap://127.0.0.1:9');
  await page.getByLabel('Where people are').fill('ou=people,dc=example,dc=org');
  await ldap.getByRole('button', { name: 'Test' }).click();
  await ldap.getByText('It failed at “connect”.').waitFor();
  await ldap.getByText('Look at the address, the directory').waitFor();

  const kept = (await (await admin.manage('GET', 'v2.0/configurations')).json()) as Record<string, { value: unknown }>;
  expect([kept['oidc_endpoint']?.value, kept['ldap_url']?.value]).toEqual(['', '']);
  await window.close();
});

test('a further provider is added, gets a button of its own, and is removed', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page, undefined, undefined, '/ui/sign-in?back=%2Fui%2Fadmin%2Fproviders');
  await settled(page);
  await page.getByRole('button', { name: 'New provider' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Id', { exact: true }).fill('labs');
  await dialog.getByLabel('Issuer').fill('https://127.0.0.1:8443');
  await dialog.getByText('/c/oidc/callback/labs').waitFor();
  await dialog.getByRole('button', { name: 'Test' }).click();
  await dialog.getByText('It failed at “discovery”.').waitFor();
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel('Client id').fill('registry');
  await dialog.getByLabel('Client secret').fill('hush');
  await dialog.getByLabel('Name on the button').fill('The Labs');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('rowheader', { name: 'The Labs' }).waitFor();
  expect(await violations(page)).toEqual([]);

  await page.getByRole('button', { name: 'Settings of The Labs' }).click();
  expect(await dialog.getByLabel('Client secret').inputValue()).toBe('');
  await dialog.getByText('Empty: it stays as it is.').waitFor();
  await dialog.getByLabel('Name on the button').fill('The New Labs');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('rowheader', { name: 'The New Labs' }).waitFor();
  const kept = await (await admin.manage('GET', 'roadstead/v1/oidc-providers/labs')).json();
  expect(kept).toMatchObject({ name: 'The New Labs', endpoint: 'https://127.0.0.1:8443', scope: 'openid', has_secret: true });

  const other = await (await newWindow(browser)).newPage();
  await other.goto('/ui/sign-in');
  await other.getByRole('link', { name: 'Sign in with The New Labs' }).waitFor();

  await page.getByRole('button', { name: 'Delete The New Labs' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('rowheader', { name: 'The New Labs' }).waitFor({ state: 'detached' });
  expect(errors).toEqual([]);
  await window.close();
});
