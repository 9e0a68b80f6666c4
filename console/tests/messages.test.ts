// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { zhHans } from '../src/i18n/zh-Hans';
import { zhHant } from '../src/i18n/zh-Hant';

const SRC = join(import.meta.dirname, '..', 'src');
const source = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('i18n/'))
  .map((name) => readFileSync(join(SRC, name), 'utf8'))
  .join('\n');
const names = Object.keys(en);

/** Families of messages whose names are put together: `t(`theme.${name}`)`. */
const families = [...source.matchAll(/[tn]\(\s*`([\w.]+\.)\$\{/g)].map(([, stem]) => stem as string);
const quoted = new Set([...source.matchAll(/['"]([\w.]+)['"]/g)].map(([, text]) => text as string));

describe('the messages', () => {
  test.each([
    ['zh-Hant', zhHant],
    ['zh-Hans', zhHans],
  ])('%s has every message of English and no other', (_, catalogue) => {
    expect(Object.keys(catalogue).sort()).toEqual([...names].sort());
  });

  test.each([
    ['zh-Hant', zhHant],
    ['zh-Hans', zhHans],
  ])('%s fills in the same values as English', (_, catalogue) => {
    const values = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
    for (const [name, text] of Object.entries(en)) expect(values(catalogue[name as keyof typeof en]), name).toEqual(values(text));
  });

  test('no message of Traditional Chinese is written in simplified characters, nor the other way round', () => {
    expect(Object.values(zhHant).join('')).not.toMatch(/[们这为时个项录删设应]/);
    expect(Object.values(zhHans).join('')).not.toMatch(/[們這為時個項錄刪設應]/);
  });

  test('every message is used', () => {
    const used = (name: string) =>
      quoted.has(name) || quoted.has(name.replace(/\.(one|other)$/, '')) || families.some((stem) => name.startsWith(stem));
    expect(names.filter((name) => !used(name))).toEqual([]);
  });

  test('a message with a count has both forms', () => {
    const stems = names.filter((name) => name.endsWith('.one')).map((name) => name.slice(0, -4));
    expect(stems.length).toBeGreaterThan(0);
    for (const stem of stems) expect(names).toContain(`${stem}.other`);
  });
});
