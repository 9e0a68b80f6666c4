import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { Client } from './registry';

const HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
const PROJECT = `reef-${Date.now().toString(36)}`;
const admin = new Client();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
  await admin.manage('POST', 'v2.0/projects', { project_name: PROJECT, metadata: { public: 'true' } });
  const image = await admin.image(`${PROJECT}/wreck`, 'v1', [500], {
    annotations: { 'org.opencontainers.image.title': HOSTILE, [HOSTILE]: HOSTILE },
    labels: { [HOSTILE]: HOSTILE, maintainer: HOSTILE },
    platform: { os: HOSTILE, architecture: HOSTILE },
  });
  await admin.image(`${PROJECT}/wreck`, 'v2', [400], { labels: { other: HOSTILE } });
  await admin.referrer(`${PROJECT}/wreck`, image, 'application/vnd.hostile+json', HOSTILE, { note: HOSTILE });
});
afterAll(() => browser.close());

const PATHS = [`/ui/p/${PROJECT}`, `/ui/p/${PROJECT}/r/wreck`, `/ui/p/${PROJECT}/r/wreck/-/a/v1`, `/ui/p/${PROJECT}/r/wreck/-/compare/v1/v2`];

test.each(PATHS)('what was pushed is text on %s', async (path) => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(path);
  await settled(page);
  expect(await page.evaluate(() => [(window as { hit?: number }).hit, document.querySelectorAll('main img, main script').length])).toEqual([undefined, 0]);
  expect(errors).toEqual([]);
  await window.close();
});

test('a description is Markdown of which nothing runs', async () => {
  await admin.manage('PUT', `v2.0/projects/${PROJECT}/repositories/wreck`, { description: `**bold** ${HOSTILE} [go](javascript:window.hit=1)` });
  const window = await newWindow(browser);
  const page = await window.newPage();
  await page.goto(`/ui/p/${PROJECT}/r/wreck/-/info`);
  await page.locator('main strong').waitFor();
  const found = await page.evaluate(() => [
    (window as { hit?: number }).hit,
    document.querySelectorAll('main img, main script, main [onerror], main a[href^="javascript:"]').length,
  ]);
  expect(found).toEqual([undefined, 0]);
  await window.close();
});

test('a text in the address is text', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await page.goto(`/ui/p/${PROJECT}/r/wreck?prefix=${encodeURIComponent(HOSTILE)}`);
  await settled(page);
  expect(await page.evaluate(() => (window as { hit?: number }).hit)).toBeUndefined();
  await window.close();
});

test('the policy refuses a script that comes to be in a page all the same', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await page.goto('/ui/sign-in');
  await settled(page);
  const refused = await page.evaluate(() => {
    const held = (work: () => void) => {
      try {
        work();
        return false;
      } catch {
        return true;
      }
    };
    return [
      held(() => (document.body.innerHTML = '<b>text</b>')),
      held(() => (document.createElement('script').text = 'window.hit = 1')),
    ];
  });
  expect(refused).toEqual([true, true]);
  await window.close();
});
