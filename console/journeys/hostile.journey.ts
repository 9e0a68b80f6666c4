import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { Client } from './registry';

const HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
const PROJECT = `reef-${Date.now().toString(36)}`;
const admin = new Client();
const PERSON = `pirate-${Date.now().toString(36)}`;
const PASSWORD = 'Quay-side 7 lanterns';
let browser: Browser;

/** What a script would have left behind, elements that would have run one, and reports of the policy. */
async function ran(page: Page): Promise<unknown[]> {
  return page.evaluate(() => [
    (window as { hit?: number }).hit,
    document.querySelectorAll('main img, main script, main iframe, main [onerror], main a[href^="javascript:"]').length,
    (window as { reports?: string[] }).reports,
  ]);
}
const NOTHING = [undefined, 0, []];

beforeAll(async () => {
  browser = await openBrowser();
  await admin.manage('POST', 'v2.0/projects', { project_name: PROJECT, metadata: { public: 'true' } });
  const { project_id } = (await (await admin.manage('GET', `v2.0/projects/${PROJECT}`)).json()) as { project_id: number };
  const image = await admin.image(`${PROJECT}/wreck`, 'v1', [500], {
    annotations: { 'org.opencontainers.image.title': HOSTILE, [HOSTILE]: HOSTILE },
    labels: { [HOSTILE]: HOSTILE, maintainer: HOSTILE },
    platform: { os: HOSTILE, architecture: HOSTILE },
  });
  await admin.image(`${PROJECT}/wreck`, 'v2', [400], { labels: { other: HOSTILE } });
  await admin.referrer(`${PROJECT}/wreck`, image, 'application/vnd.hostile+json', HOSTILE, { note: HOSTILE });
  await admin.chart(`${PROJECT}/chart`, '1.0.0', `# Chart\n\n${HOSTILE}\n\n[go](javascript:window.hit=1) <iframe src="/ui"></iframe>`, `evil: "${HOSTILE.replaceAll('"', '\\"')}"`);
  await admin.manage('PUT', `v2.0/projects/${PROJECT}/repositories/wreck`, { description: `**bold** ${HOSTILE} [go](javascript:window.hit=1)` });
  await admin.manage('POST', 'v2.0/labels', { name: HOSTILE, description: HOSTILE, color: '#0b6675', scope: 'p', project_id });
  await admin.manage('POST', `v2.0/projects/${PROJECT}/webhook/policies`, {
    name: HOSTILE,
    description: HOSTILE,
    enabled: true,
    event_types: ['DELETE_ARTIFACT'],
    targets: [{ type: 'http', address: `http://127.0.0.1:9/${encodeURIComponent(HOSTILE)}`, payload_format: 'Default' }],
  });
  await admin.manage('POST', 'v2.0/robots', {
    name: 'hostile',
    description: HOSTILE,
    level: 'project',
    duration: 30,
    permissions: [{ kind: 'project', namespace: PROJECT, access: [{ resource: 'repository', action: 'pull' }] }],
  });
  await admin.manage('POST', 'v2.0/users', { username: PERSON, password: PASSWORD, email: `${PERSON}@example.com`, realname: HOSTILE, comment: HOSTILE });
  await admin.manage('POST', 'v2.0/usergroups', { group_name: `${HOSTILE} ${PERSON}`, group_type: 2 });
  await new Client(PERSON, PASSWORD).manage('POST', 'roadstead/v1/users/current/tokens', { name: HOSTILE, access: 'read', duration: 7 });
});
afterAll(() => browser.close());

const PATHS = [
  `/ui/p/${PROJECT}`,
  `/ui/p/${PROJECT}/robots`,
  `/ui/p/${PROJECT}/webhooks`,
  `/ui/p/${PROJECT}/activity`,
  `/ui/p/${PROJECT}/settings`,
  `/ui/p/${PROJECT}/r/wreck`,
  `/ui/p/${PROJECT}/r/wreck/-/a/v1`,
  `/ui/p/${PROJECT}/r/wreck/-/compare/v1/v2`,
  `/ui/p/${PROJECT}/r/chart/-/a/1.0.0`,
  '/ui/admin/users',
  '/ui/admin/groups',
  '/ui/admin/audit',
];

test.each(PATHS)('what others wrote is text on %s', async (path) => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(path);
  await settled(page);
  expect(await ran(page)).toEqual(NOTHING);
  expect(errors).toEqual([]);
  await window.close();
});

test('one’s own name, tokens and program are text, whatever they say', async () => {
  const window = await newWindow(browser, { program: HOSTILE });
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page, PERSON, PASSWORD);
  for (const path of ['/ui/account', '/ui/account/profile', '/ui/account/sessions']) {
    await page.goto(path);
    await settled(page);
    expect(await ran(page)).toEqual(NOTHING);
  }
  await page.goto('/ui/account/profile');
  expect(await page.getByLabel('Real name').inputValue()).toBe(HOSTILE);
  expect(errors).toEqual([]);
  await window.close();
});

test('a description is Markdown of which nothing runs', async () => {
  const window = await newWindow(browser);
  const page = await window.newPage();
  await page.goto(`/ui/p/${PROJECT}/r/wreck/-/info`);
  await page.locator('main strong').waitFor();
  expect(await ran(page)).toEqual(NOTHING);
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
