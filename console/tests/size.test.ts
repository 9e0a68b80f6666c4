// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

const DIST = join(import.meta.dirname, '..', 'dist');
const KB = 1000;
let index = '';
beforeAll(() => {
  index = readFileSync(join(DIST, 'index.html'), 'utf8'); // made by `make console`
});

const scripts = () => [...index.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path as string);
const packed = (path: string) => readFileSync(join(DIST, `${path}.br`)).length;

/** Files that a page's own part imports before it can be shown, beside those of index.html. */
function imports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  const text = readFileSync(join(DIST, 'assets', name), 'utf8');
  for (const [, other] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) imports(other as string, seen);
  return seen;
}

describe('the built files', () => {
  test('the entry has at most 60 KB of compressed JavaScript', () => {
    const total = scripts().reduce((sum, path) => sum + packed(path), 0);
    expect(total).toBeGreaterThan(10 * KB);
    expect(total).toBeLessThanOrEqual(60 * KB);
  });

  test('the first load of any page has at most 90 KB of compressed JavaScript', () => {
    const entry = scripts().map((path) => path.replace('/assets/', ''));
    const pages = readdirSync(join(DIST, 'assets')).filter((name) => /^(account|administration|artifact|compare|project|repository)-.*\.js$/.test(name));
    expect(pages.length).toBeGreaterThanOrEqual(4);
    for (const page of pages) {
      const files = new Set<string>();
      for (const name of [...entry, page]) imports(name, files);
      const total = [...files].reduce((sum, name) => sum + packed(`assets/${name}`), 0);
      expect(total, page).toBeLessThanOrEqual(90 * KB);
    }
  });

  test('every script and style has its compressed copies beside it', () => {
    for (const name of readdirSync(join(DIST, 'assets')).filter((one) => /\.(js|css|svg)$/.test(one))) {
      expect(readdirSync(join(DIST, 'assets'))).toEqual(expect.arrayContaining([`${name}.br`, `${name}.gz`]));
    }
  });

  test('the page has no script or style in itself, which its policy would refuse', () => {
    expect(index).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(index).not.toMatch(/<style|\sstyle=|\son\w+=/);
  });

  test('no file names another host', () => {
    for (const name of readdirSync(join(DIST, 'assets')).filter((one) => /\.(js|css)$/.test(one))) {
      const text = readFileSync(join(DIST, 'assets', name), 'utf8').replaceAll(/http:\/\/www\.w3\.org\/[\w/]+/g, '');
      const hosts = [...text.matchAll(/https?:\/\/[a-z0-9.-]+/g)].map(([host]) => host);
      expect(hosts.filter((host) => !/^https?:\/\/(localhost|react\.dev|preactjs\.com|tanstack\.com|github\.com|ci\.example\.com)/.test(host)), name).toEqual([]);
    }
  });
});
