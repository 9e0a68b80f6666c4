import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { Client } from './registry';

const PROJECT = `wharf-${Date.now().toString(36)}`;
const admin = new Client();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  await admin.manage('POST', 'v2.0/projects', { project_name: PROJECT, metadata: { public: 'false' } });
  for (const tag of ['v1', 'v2', 'v3', 'v4']) await admin.image(`${PROJECT}/crane`, tag, [500]);
});
afterAll(() => browser.close());

const pulls = (reference: string) => admin.pull(`${PROJECT}/crane`, reference).then(
  () => true,
  () => false,
);

test('what was deleted comes back by Undo, and from the trash', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/r/crane/-/a/v1`);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('1 tag: v1').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.waitForURL(`**/ui/p/${PROJECT}/r/crane`);
  expect(await pulls('v1')).toBe(false);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('It is back.').waitFor();
  expect(await pulls('v1')).toBe(true);

  await page.getByLabel('Choose v2', { exact: true }).check();
  await page.getByLabel('Choose v3', { exact: true }).check();
  await page.getByRole('button', { name: 'Delete 2 tags' }).click();
  await page.getByText('The 2 artifacts too').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('2 tags are deleted.').waitFor();
  expect([await pulls('v2'), await pulls('v3'), await pulls('v4')]).toEqual([false, false, true]);

  await page.goto(`/ui/p/${PROJECT}/trash`);
  await settled(page);
  const row = page.getByRole('row').filter({ hasText: 'v2' });
  await row.getByRole('button', { name: /^Restore/ }).click();
  await page.getByText(/is back\.$/).waitFor();
  expect([await pulls('v2'), await pulls('v3')]).toEqual([true, false]);

  await page.getByRole('button', { name: 'Empty the trash' }).click();
  await page.getByText('Nobody can bring it back.').waitFor();
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('The trash is empty').waitFor();
  expect(errors).toEqual([]);
  await window.close();
});
