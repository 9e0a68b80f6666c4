import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { Client } from './registry';

const MARK = Date.now().toString(36);
const [PROJECT, USER] = [`dock-${MARK}`, `olga-${MARK}`];
const admin = new Client();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test('an administrator makes a project and a user, and gives the user rights that hold', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.getByRole('button', { name: 'New project' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill(PROJECT);
  await page.getByRole('button', { name: 'Create' }).click();
  await page.waitForURL(`**/ui/p/${PROJECT}`);

  await page.goto('/ui/admin/users');
  await page.getByRole('button', { name: 'New user' }).click();
  await page.getByLabel('Name', { exact: true }).fill(USER);
  const password = await page.getByLabel('Password', { exact: true }).inputValue();
  expect(password).toMatch(/^\w{20}$/);
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByText('The password is shown once').waitFor();
  await page.getByRole('button', { name: 'Done' }).click();

  await page.goto(`/ui/p/${PROJECT}/members`);
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByRole('combobox', { name: 'User' }).fill(USER);
  await page.getByRole('radio', { name: /^Developer/ }).check();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText(`docker login -u ${USER}`).waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('row', { name: new RegExp(USER) }).waitFor();

  await new Client(USER, password).image(`${PROJECT}/app`, 'v1', [500]);
  await page.getByLabel(`Role of ${USER}`).selectOption('Guest');
  await page.getByText(`${USER} is Guest now.`).waitFor();
  await expect(new Client(USER, password).image(`${PROJECT}/app`, 'v2', [500])).rejects.toThrow(/40[13]|DENIED/);

  const hers = await newWindow(browser);
  const her = await hers.newPage();
  await signIn(her, USER, password);
  await her.getByRole('link', { name: PROJECT }).click();
  await her.getByRole('link', { name: 'app', exact: true }).waitFor();
  await settled(her);
  expect(await her.getByRole('link', { name: 'Settings' }).count()).toBe(0);
  expect(await her.getByRole('link', { name: 'Administration' }).count()).toBe(0);

  await page.getByRole('button', { name: `Remove ${USER}` }).click();
  await page.getByText('can no longer see, pull or push').waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText(`${USER} is no longer a member.`).waitFor();
  await her.reload();
  await her.getByRole('alert').waitFor();
  await page.goto(`/ui/p/${PROJECT}/settings`);
  await page.getByRole('button', { name: 'Delete the project' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('alert').getByText('Something else still needs it').waitFor();
  await admin.manage('DELETE', `v2.0/projects/${PROJECT}/repositories/app`);
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText(`${PROJECT} is deleted.`).waitFor();
  expect(errors).toEqual([]);
  await window.close();
  await hers.close();
});
