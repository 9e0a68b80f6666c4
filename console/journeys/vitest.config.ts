import { defineConfig } from 'vitest/config';

/** Journeys in a real browser against a running registry (tests/e2e/console starts both). The limits are for a machine that is busy. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: process.env['SCREENSHOTS'] ? ['screenshots.ts'] : process.env['MEASURES'] ? ['measure.ts'] : ['*.journey.ts'],
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    bail: 1,
  },
});
