import { execFileSync } from 'node:child_process';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from './axe';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { ADMIN, Client, PASSWORD, REGISTRY } from './registry';

const HOST = new URL(REGISTRY).host;
const PROJECT = `pier-${Date.now().toString(36)}`;
const admin = new Client();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  await admin.manage('POST', 'v2.0/projects', { project_name: PROJECT, metadata: { public: 'false' } });
});
afterAll(() => browser.close());

test('a push by skopeo arrives in an open page, and is found, pulled by its command and paged', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}`);
  await page.getByText('Push the first image').waitFor();
  await page.getByText(`docker push ${HOST}/${PROJECT}/hello-world`).waitFor();

  const source = `docker://${HOST}/${PROJECT}/seed:1`;
  await admin.image(`${PROJECT}/seed`, '1', [2000, 300]);
  await page.getByRole('link', { name: 'seed', exact: true }).click();
  await page.getByRole('link', { name: '1', exact: true }).waitFor();
  skopeo('copy', source, `docker://${HOST}/${PROJECT}/seed:by-skopeo`);
  await page.getByText('by-skopeo', { exact: true }).first().waitFor();
  await page.getByText(`docker pull ${HOST}/${PROJECT}/seed:by-skopeo`).waitFor();

  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('see');
  await page.getByRole('option', { name: `${PROJECT}/seed` }).waitFor();
  await page.keyboard.press('Escape');
  expect(errors).toEqual([]);
  await window.close();
});

test('a repository with many tags is paged, filtered and sorted by its address', async () => {
  for (let at = 1; at <= 58; at += 1) await admin.image(`${PROJECT}/a/b/many`, `t-${String(at).padStart(2, '0')}`, [100], { salt: 'same' });
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/r/a/b/many?sort=name`);
  await settled(page);
  expect(await page.getByRole('row').count()).toBe(51);
  await page.getByText('58 tags').waitFor();
  await page.getByRole('link', { name: 'Next' }).click();
  await page.getByRole('link', { name: 't-51', exact: true }).waitFor();
  expect(await page.getByRole('row').count()).toBe(9);
  expect(page.url()).toContain('after=');
  await page.goBack();
  await page.getByRole('link', { name: 't-01', exact: true }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('t-3');
  await page.waitForURL('**prefix=t-3**');
  await page.getByRole('link', { name: 't-30', exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 10);
  await window.close();
});

test('a comparison takes any tag or digest that is typed', async () => {
  const one = await admin.image(`${PROJECT}/pair`, 'one', [100]);
  await admin.image(`${PROJECT}/pair`, 'two', [100, 200]);
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/r/pair/-/compare/two`);
  await settled(page);
  const field = page.getByLabel('With', { exact: true });
  expect(await page.locator('datalist option').count()).toBe(2);
  await field.focus();
  await page.keyboard.type('none');
  expect(page.url()).toMatch(/compare\/two\/?$/); // nothing is asked for in the middle of a word
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('It is not there').waitFor();
  expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
  await field.fill(one.digest);
  await page.keyboard.press('Enter');
  await page.getByRole('table', { name: 'Compare', exact: true }).waitFor();
  expect(decodeURIComponent(page.url())).toContain(`/compare/two/${one.digest}`);
  expect(await violations(page)).toEqual([]);
  await window.close();
});

function skopeo(command: string, source: string, target: string): void {
  const credentials = ['--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds', `${ADMIN}:${PASSWORD}`, '--dest-creds', `${ADMIN}:${PASSWORD}`];
  execFileSync('skopeo', ['--insecure-policy', command, ...credentials, source, target]);
}
