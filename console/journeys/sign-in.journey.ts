import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { REGISTRY } from './registry';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test('somebody with an address and a password gets in, and out again', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await page.goto('/');
  await page.waitForURL('**/ui/sign-in');
  await page.getByLabel('User', { exact: true }).fill('nobody');
  await page.getByLabel('Password', { exact: true }).fill('wrong wrong wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('wrong').waitFor();
  await signIn(page);
  await page.getByRole('heading', { name: 'Home' }).waitFor();

  const cookies = await window.cookies(REGISTRY);
  expect(cookies.map((cookie) => [cookie.name, cookie.httpOnly, cookie.sameSite])).toEqual([['roadstead', true, 'Lax']]);
  expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }))).toBe('{}');

  await page.getByRole('button', { name: /Account of/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/ui/sign-in');
  expect(await window.cookies(REGISTRY)).toEqual([]);
  await page.goto('/ui/admin/users');
  await page.getByText('Only system administrators').waitFor();
  expect(errors).toEqual([]);
  await window.close();
});

test('a link to a page leads there after signing in, and never to another site', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page, undefined, undefined, '/ui/sign-in?back=%2Fui%2Fadmin%2Fusers');
  await page.waitForURL('**/ui/admin/users');
  await window.clearCookies();
  await signIn(page, undefined, undefined, '/ui/sign-in?back=https%3A%2F%2Fexample.com');
  await page.waitForURL((url) => url.pathname === '/ui');
  await window.close();
});

test('language and theme are chosen and stay', async () => {
  const window = await newWindow(browser, { locale: 'zh-TW' });
  const page = await window.newPage();
  await page.goto('/ui/sign-in');
  await page.getByRole('button', { name: '登入' }).waitFor();
  await page.getByRole('button', { name: '外觀與語言' }).click();
  await page.getByRole('button', { name: '简体中文' }).click();
  await page.getByRole('button', { name: '登录', exact: true }).waitFor();
  await page.getByRole('button', { name: '外观与语言' }).click();
  await page.getByRole('button', { name: '深色' }).click();
  await page.reload();
  await settled(page);
  expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset['theme']])).toEqual(['zh-Hans', 'dark']);
  await window.close();
});
