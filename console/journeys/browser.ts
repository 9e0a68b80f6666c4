import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { ADMIN, PASSWORD, REGISTRY } from './registry';

export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const PATIENCE = 120_000; // milliseconds for anything on a busy machine

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

interface Look {
  width?: number;
  height?: number;
  theme?: 'light' | 'dark';
  locale?: string;
  /** The User-Agent. */
  program?: string;
  forcedColors?: 'active' | 'none';
}

/** A browser window of somebody who is signed out. Errors of its pages fail the test: see `errorsOf`. */
export async function newWindow(browser: Browser, look: Look = {}): Promise<BrowserContext> {
  const { width = 1280, height = 800, theme = 'light', locale = 'en-GB', program, forcedColors = 'none' } = look;
  const context = await browser.newContext({
    baseURL: REGISTRY,
    viewport: { width, height },
    colorScheme: theme,
    locale,
    timezoneId: 'Asia/Taipei',
    reducedMotion: 'reduce',
    forcedColors,
    ...(program ? { userAgent: program } : {}),
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  context.setDefaultTimeout(PATIENCE);
  await context.addInitScript(() => {
    const reports: string[] = [];
    (window as { reports?: string[] }).reports = reports;
    document.addEventListener('securitypolicyviolation', (event) => reports.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  return context;
}

/** What pages of a window complain of: exceptions, and violations of the policy. Refusals of the API are no errors. */
export function errorsOf(context: BrowserContext): string[] {
  const found: string[] = [];
  context.on('weberror', (error) => found.push(error.error().message));
  context.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) found.push(text);
  });
  return found;
}

export async function signIn(page: Page, name = ADMIN, password = PASSWORD, path = '/ui/sign-in'): Promise<void> {
  await page.goto(path);
  await page.locator('input[name=name]').fill(name);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form button[type=submit]').click();
  await page.waitForURL((url) => !url.pathname.endsWith('/sign-in'));
}

/** Waits until the page has what it asked for. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.skeleton, .table.waiting')); // nor rows of the question before
  await page.waitForLoadState('networkidle');
}
