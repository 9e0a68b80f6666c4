import { defineConfig } from 'vitest/config';

/** Journeys in a real browser against a running registry (tests/e2e/console starts both). */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: process.env['SCREENSHOTS'] ? ['screenshots.ts'] : process.env['MEASURES'] ? ['measure.ts'] : ['*.journey.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    bail: 1,
  },
});
