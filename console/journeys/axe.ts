import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** The rules that look at colours, which are all that differs between the themes. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/** What axe-core finds, a line each. The page's policy lets a test run a script by the debugger alone. */
export async function violations(page: Page): Promise<string[]> {
  return run(page, { type: 'tag', values: RULES });
}

/** What it finds of the colours alone, in the theme that the page has now. */
export async function violationsOfColours(page: Page): Promise<string[]> {
  return run(page, { type: 'rule', values: COLOURS });
}

async function run(page: Page, runOnly: { type: 'tag' | 'rule'; values: string[] }): Promise<string[]> {
  const loaded = await page.evaluate(() => 'axe' in window);
  if (!loaded) await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(
    (only) => (window as unknown as { axe: { run: (root: Document, options: object) => Promise<AxeResults> } }).axe.run(document, { runOnly: only, resultTypes: ['violations'] }),
    runOnly,
  );
  return found.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)} (${node.failureSummary?.slice(0, 200)})`));
}
