import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { Client } from './registry';

const PROJECT = `dock-${Date.now().toString(36)}`;
const SLOW = 300_000; // milliseconds for what the registry does in the background
const admin = new Client();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  await admin.manage('POST', 'v2.0/projects', { project_name: PROJECT, metadata: { public: 'false' } });
  for (const tag of ['a', 'b', 'c', 'd']) await admin.image(`${PROJECT}/nightly`, `build-${tag}`, [300]);
  await admin.image(`${PROJECT}/kept`, 'v1', [300]);
});
afterAll(() => browser.close());

const there = (repository: string, reference: string) =>
  admin.pull(`${PROJECT}/${repository}`, reference).then(
    () => true,
    () => false,
  );

test('retention is written with a preview, run, and seen in its history', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/policies`);
  await settled(page);
  await page.getByRole('button', { name: 'Add a rule' }).first().click();
  await page.getByLabel('What to keep').selectOption('latestPushedK');
  await page.getByLabel('How many').fill('2');
  await page.getByRole('textbox', { name: 'Repositories' }).fill('nightly');
  await page.getByText('2 go', { exact: true }).first().waitFor();
  const gone = page.getByRole('listitem').filter({ hasText: 'goes' });
  expect(await gone.count()).toBe(2);
  await gone.filter({ hasText: 'build-a' }).waitFor();
  await gone.filter({ hasText: 'build-b' }).waitFor();
  await gone.getByText('Rule 1 keeps the 2 last pushed; this is number 3.').waitFor();
  expect(await there('nightly', 'build-a')).toBe(true); // a preview deletes nothing
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The rules are saved.').waitFor();
  const elsewhere = await newWindow(browser, { locale: 'zh-TW' });
  const reader = await elsewhere.newPage();
  await signIn(reader);
  await reader.goto(`/ui/p/${PROJECT}/policies`);
  await reader.getByText('規則 1 依最近推送保留 2 項；這是第 3 項。').waitFor();
  await elsewhere.close();
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByRole('dialog').getByText('What the preview shows as going').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click();
  await page.getByText('The rules have been applied.').waitFor({ timeout: SLOW });
  await page.getByRole('list', { name: 'Runs' }).getByText('By hand').waitFor();
  await page.getByRole('list', { name: 'Runs' }).getByText('done').waitFor();
  expect(await Promise.all(['build-a', 'build-b', 'build-c', 'build-d'].map((tag) => there('nightly', tag)))).toEqual([false, false, true, true]);
  expect(await there('kept', 'v1')).toBe(true);
  expect(errors).toEqual([]);
  await window.close();
});

test('the collector is run dry and in earnest, and its history says what it freed', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto('/ui/admin/collector');
  await settled(page);
  const before = await page.locator('tbody tr').count();
  await page.getByRole('checkbox', { name: 'Dry run' }).check();
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByText('A run has been started.').first().waitFor();
  await page.locator('tbody tr').nth(before).waitFor({ timeout: SLOW });
  const newest = page.locator('tbody tr').first();
  await newest.getByText('done').waitFor({ timeout: SLOW });
  await newest.getByText('Dry run').waitFor();
  await page.getByRole('checkbox', { name: 'Dry run' }).uncheck();
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.locator('tbody tr').nth(before + 1).waitFor({ timeout: SLOW });
  await newest.getByText('done').waitFor({ timeout: SLOW });
  await newest.getByText(/blobs?$/).waitFor();
  expect(await newest.getByText('Dry run').count()).toBe(0);
  await page.getByLabel('Runs').selectOption('Daily');
  await page.getByText('The configuration is saved.').waitFor();
  await page.reload();
  await settled(page);
  expect(await page.getByLabel('Runs').inputValue()).toBe('Daily');
  expect(errors).toEqual([]);
  await window.close();
});

test('a webhook is tested, hears of a push, and is told again what it missed', async () => {
  const heard: { path: string; authorization: string; body: string }[] = [];
  let status = 500;
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      heard.push({ path: request.url ?? '', authorization: request.headers.authorization ?? '', body });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/webhooks`);
  await settled(page);
  await page.getByRole('button', { name: 'New webhook' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('deploy');
  await dialog.getByLabel('Address').fill(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  await dialog.getByLabel('Authorization').fill('Bearer of-news');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('heading', { name: 'deploy' }).waitFor();
  await page.getByText('It hears of what happens from the next minute on.').waitFor();
  const delivery = page.getByRole('listitem').filter({ hasText: 'An artifact is pushed' });
  for (let at = 1; !heard.length; at += 1) {
    expect(at).toBeLessThan(60); // a webhook takes effect within a minute, and a busy machine takes another one or two
    await admin.image(`${PROJECT}/kept`, `v${at + 1}`, [300]);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  }
  await delivery.filter({ hasText: '500' }).first().waitFor({ timeout: SLOW }); // the page looks again by itself
  status = 200;
  const told = heard.length;
  await delivery.first().getByRole('button', { name: 'Send again' }).click();
  await page.getByText('It is sent again.').waitFor();
  await expect.poll(() => heard.length, { timeout: SLOW }).toBeGreaterThan(told);
  const last = heard.at(-1);
  expect([last?.path, last?.authorization]).toEqual(['/hook', 'Bearer of-news']);
  expect(last?.body).toContain(`${PROJECT}/kept`);
  await page.getByText('delivered').first().waitFor({ timeout: SLOW });
  await page.getByRole('button', { name: 'What was sent' }).first().click();
  await page.locator('pre').getByText('PUSH_ARTIFACT').waitFor();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByText('A test is on its way.').waitFor();
  await page.getByRole('button', { name: 'Actions for deploy' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('There are no webhooks').waitFor();
  expect(errors).toEqual([]);
  server.close();
  await window.close();
});

test('the trail of a project is filtered, and downloaded whole as CSV', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/activity`);
  await settled(page);
  await page.getByLabel('Kind of action').selectOption('delete');
  await page.getByRole('searchbox', { name: 'Filter by name' }).fill('nightly');
  await page.waitForURL('**q=nightly**');
  await page.getByRole('link', { name: `${PROJECT}/nightly:build-a` }).waitFor({ timeout: SLOW });
  await settled(page);
  expect(await page.getByText(`${PROJECT}/kept`).count()).toBe(0);
  const filtered = await page.getByRole('row').count();

  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download CSV' }).click()]);
  expect(file.suggestedFilename()).toBe(`${PROJECT}-activity.csv`);
  const lines = readFileSync(await file.path(), 'utf8').split('\r\n');
  expect(lines[0]).toBe('\ufeffop_time,username,operation,resource_type,resource,operation_result,operation_description');
  expect(lines.length).toBe(filtered); // both have a row of names
  expect(lines.slice(1).every((line) => /^\d{4}-\d\d-\d\dT[^,]+,admin,delete,/.test(line))).toBe(true);
  await page.getByLabel('Kind of action').selectOption('push'); // of images, without their layers
  await page.getByText('Pushed · artifact').first().waitFor({ timeout: SLOW });
  await settled(page);
  expect(await page.getByText('· layer').count()).toBe(0);
  expect(errors).toEqual([]);
  await window.close();
});

test('a repository is deleted with all that is in it, and comes back whole', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  const image = await admin.image(`${PROJECT}/doomed`, 'v1', [400]);
  await admin.image(`${PROJECT}/doomed`, 'v2', [500]);
  await admin.referrer(`${PROJECT}/doomed`, image, 'application/vnd.dev.sigstore.bundle.v0.3+json', '{"a":"signature"}');
  await signIn(page);
  await page.goto(`/ui/p/${PROJECT}/r/doomed`);
  await settled(page);
  await page.getByRole('button', { name: 'Actions for doomed' }).click();
  await page.getByRole('button', { name: 'Delete the repository' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Everything in doomed goes: tags, artifacts, signatures.').waitFor();
  await dialog.getByText('2 tags').waitFor();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('doomed is deleted.').waitFor({ timeout: SLOW });
  await page.waitForURL(`**/ui/p/${PROJECT}`);
  expect([await there('doomed', 'v1'), await there('doomed', 'v2')]).toEqual([false, false]);
  expect(await page.getByRole('link', { name: 'doomed', exact: true }).count()).toBe(0);

  await page.goto(`/ui/p/${PROJECT}/trash`);
  await settled(page);
  await page.getByRole('row').filter({ hasText: 'doomed' }).first().getByRole('button', { name: /^Restore/ }).click();
  await page.getByText(/is back\.$/).waitFor({ timeout: SLOW });
  expect([await there('doomed', 'v1'), await there('doomed', 'v2'), await there('doomed', image.digest)]).toEqual([true, true, true]);
  await page.goto(`/ui/p/${PROJECT}/r/doomed/-/a/v1`);
  await page.getByText('Cosign signature').waitFor({ timeout: SLOW });
  expect(errors).toEqual([]);
  await window.close();
});
