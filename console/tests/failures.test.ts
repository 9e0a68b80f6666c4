import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../src/api/client';
import { en } from '../src/i18n/en';
import { zhHans } from '../src/i18n/zh-Hans';
import { zhHant } from '../src/i18n/zh-Hant';
import { explanationOf } from '../src/lib/failures';

interface Named {
  enum: string[];
}
const document = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'generated', 'openapi.json'), 'utf8')) as {
  components: {
    schemas: {
      Errors: { properties: { errors: { items: { properties: { code: Named } } } } };
      RetentionReason: { properties: { cause: Named } };
    };
  };
};

describe('the reasons of a retention preview', () => {
  test('are there for every cause of the API, in every language', () => {
    const causes = document.components.schemas.RetentionReason.properties.cause.enum;
    expect(causes.length).toBeGreaterThan(10);
    for (const cause of causes)
      for (const catalogue of [en, zhHant, zhHans]) expect(catalogue[`retention.why.${cause}` as keyof typeof en], cause).toBeTruthy();
  });
});

describe('the explanation of a refusal', () => {
  const codes = document.components.schemas.Errors.properties.errors.items.properties.code.enum;

  test('is there for every code of the API, in every language', () => {
    expect(codes.length).toBeGreaterThan(10);
    const fallback = explanationOf(new ApiError(418, 'NO_SUCH_CODE', '', ''));
    for (const code of codes) {
      const message = explanationOf(new ApiError(418, code, '', ''));
      if (code !== 'BAD_REQUEST') expect(message, code).not.toBe(fallback);
      for (const catalogue of [en, zhHant, zhHans]) expect(catalogue[message], code).toBeTruthy();
    }
  });

  test('of an answer without a code follows its status', () => {
    expect(explanationOf(new ApiError(0, 'UNREACHABLE', '', ''))).toBe('error.unreachable');
    expect(explanationOf(new ApiError(502, 'HTTP502', '', ''))).toBe('error.server');
    expect(explanationOf(new ApiError(404, 'HTTP404', '', ''))).toBe('error.notFound');
    expect(explanationOf(new TypeError('x is undefined'))).toBe('error.console');
  });

  test('is that of the page where the page knows more', () => {
    expect(explanationOf(new ApiError(403, 'FORBIDDEN', '', ''), { FORBIDDEN: 'administration.only' })).toBe('administration.only');
  });
});
