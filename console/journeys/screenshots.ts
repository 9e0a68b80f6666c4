import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { newWindow, openBrowser, settled, signIn } from './browser';
import { fill } from './harbour';
import { DIALOGS, PAGES } from './pages';

const FOLDER = process.env['SCREENSHOTS'] ?? 'screenshots';
const ONLY = process.env['ONLY']?.split(',');
/** Dialogs are found by what they say in English, so the other languages show pages alone. */
const LOOKS = [
  ['light', { width: 1280, height: 800, theme: 'light' }],
  ['dark', { width: 1280, height: 800, theme: 'dark' }],
  ['phone', { width: 390, height: 844, theme: 'light' }],
  ['zh-Hant', { width: 1280, height: 800, theme: 'light', locale: 'zh-TW' }],
  ['zh-Hans', { width: 1280, height: 800, theme: 'light', locale: 'zh-CN' }],
] as const;
const SEEN = LOOKS.filter(([look]) => !process.env['LOOKS'] || process.env['LOOKS'].split(',').includes(look));

test('every page is photographed', { timeout: 900_000 }, async () => {
  if (!process.env['FILLED']) await fill();
  mkdirSync(FOLDER, { recursive: true });
  const browser = await openBrowser();
  for (const [look, options] of SEEN) {
    const window = await newWindow(browser, options);
    const page = await window.newPage();
    const shoot = (name: string) => page.screenshot({ path: join(FOLDER, `${name}-${look}.png`) });
    await page.goto('/ui/sign-in');
    await settled(page);
    if (!ONLY || ONLY.includes('sign-in')) await shoot('sign-in');
    await signIn(page);
    for (const [name, path] of PAGES) {
      if (ONLY && !ONLY.includes(name)) continue;
      await page.goto(path);
      await settled(page);
      await shoot(name);
    }
    for (const [name, path, open] of look.startsWith('zh') ? [] : DIALOGS) {
      if (ONLY && !ONLY.includes(name)) continue;
      await page.goto(path);
      await settled(page);
      await open(page);
      await shoot(name);
    }
    await window.close();
  }
  await browser.close();
});
