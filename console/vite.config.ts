import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const COMPRESSED = /\.(js|css|svg|json)$/;

/** Writes each file compressed beside itself, and `build.txt`, which names the build and is written last. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    writeBundle(options) {
      const assets = join(options.dir ?? 'dist', 'assets');
      const names = readdirSync(assets).filter((name) => COMPRESSED.test(name)).sort();
      for (const name of names) {
        const file = join(assets, name);
        const content = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
      }
      const build = createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 12);
      writeFileSync(join(options.dir ?? 'dist', 'build.txt'), `${build}\n`);
    },
  };
}

export default defineConfig({
  base: '/',
  publicDir: false,
  resolve: {
    alias: { react: 'preact/compat', 'react-dom': 'preact/compat', 'react/jsx-runtime': 'preact/jsx-runtime' },
  },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy of the pages allows no data: URL
    reportCompressedSize: false,
    rolldownOptions: {
      onLog: (level, log, report) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log); // `use client` in what React's users share with us
      },
    },
  },
  plugins: [packed()],
  server: { proxy: { '/api': process.env['REGISTRY'] ?? 'http://127.0.0.1:5000' } },
});
