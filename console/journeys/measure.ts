import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { newWindow, openBrowser, signIn } from './browser';
import { Client } from './registry';

/** Pages that are measured, with what is on them when they can be used. */
const PAGES: [name: string, path: string, ready: string][] = [
  ['sign-in', '/ui/sign-in', 'input[name=password]'],
  ['project list', '/ui/projects', 'tbody a.name'],
  ['repository', '/ui/p/measured/r/app', 'tbody a.name'],
  ['artifact', '/ui/p/measured/r/app/-/a/v1', '.command code'],
];
const SAMPLES = Number(process.env['SAMPLES'] ?? 5);

/** Of one visit: bytes over the wire, requests, those to the API, and milliseconds until the page can be used. */
interface Visit {
  bytes: number;
  requests: number;
  calls: number;
  milliseconds: number;
}

test('pages are measured, with an empty cache and then with what that left in it', { timeout: 600_000 }, async () => {
  const admin = new Client();
  await admin.manage('POST', 'v2.0/projects', { project_name: 'measured', metadata: { public: 'false' } });
  for (let at = 1; at <= 60; at += 1) await admin.image('measured/app', `v${at}`, [400], { salt: String(at) });
  const browser = await openBrowser();
  const results: { page: string; cold: Visit[]; warm: Visit[] }[] = [];
  for (const [page, path, ready] of PAGES) {
    const visits = { page, cold: [] as Visit[], warm: [] as Visit[] };
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const window = await newWindow(browser);
      const tab = await window.newPage();
      if (page !== 'sign-in') {
        await signIn(tab);
        await tab.goto('about:blank');
      }
      const debug = await window.newCDPSession(tab);
      await debug.send('Network.enable');
      await debug.send('Network.clearBrowserCache');
      const visit: Visit = { bytes: 0, requests: 0, calls: 0, milliseconds: 0 };
      let seen = visit;
      debug.on('Network.requestWillBeSent', ({ request }) => {
        seen.requests += 1;
        if (new URL(request.url).pathname.startsWith('/api/')) seen.calls += 1;
      });
      debug.on('Network.loadingFinished', ({ encodedDataLength }) => {
        seen.bytes += encodedDataLength;
      });
      for (const list of [visits.cold, visits.warm]) {
        const began = performance.now();
        await tab.goto(path, { waitUntil: 'commit' });
        await tab.locator(ready).first().waitFor();
        seen.milliseconds = performance.now() - began;
        await tab.waitForLoadState('networkidle');
        list.push(seen);
        await tab.goto('about:blank');
        seen = { bytes: 0, requests: 0, calls: 0, milliseconds: 0 };
      }
      await window.close();
    }
    results.push(visits);
  }
  await browser.close();
  expect(results.length).toBe(PAGES.length);
  writeFileSync(process.env['MEASURES'] ?? 'measures.json', JSON.stringify(results));
});
