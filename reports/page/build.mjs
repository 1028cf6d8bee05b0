// Builds dist/page.js and dist/page.css from src/. Usage: node build.mjs [folder to write to, default dist]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = process.argv[2] ?? join(here, 'dist');
const licence = readFileSync(join(here, 'node_modules/uplot/LICENSE'), 'utf8').trim();

await build({
  absWorkingDir: here,
  entryPoints: { page: 'src/main.js' },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2020', 'chrome90', 'firefox90', 'safari14'],
  charset: 'ascii',
  legalComments: 'none',
  banner: {
    js: `/*! Contains uPlot, https://github.com/leeoniya/uPlot\n\n${licence}\n*/`,
    css: '/*! Contains the style sheet of uPlot, (c) Leon Sorokin, MIT licence */',
  },
  logLevel: 'warning',
});
