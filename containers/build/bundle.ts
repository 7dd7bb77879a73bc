import { build } from 'esbuild'

// bundle.ts <entry> <file>: a worker's program as one file, as the functions are bundled (lib/infra).

const [entry, outfile] = process.argv.slice(2) as [string, string]
await build({
  ...{ entryPoints: [entry], outfile, bundle: true, minify: true, sourcemap: 'linked', logLevel: 'warning' },
  ...{ platform: 'node', format: 'esm', target: 'node24', mainFields: ['module', 'main'] },
  // Packages written for CommonJS call require, which an ES module does not have.
  banner: { js: "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);" },
})
