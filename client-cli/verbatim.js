#!/usr/bin/env node
// Starts the CLI. Plain JavaScript that old versions of Node can read: what follows is TypeScript, which only
// Node 24 runs as it is. On an older Node the checkout's own one (the npm package `node`) takes over.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const NEEDED = 24

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  await import('./main.ts')
} else {
  const node = [
    '../node_modules/node/bin/node',
    '../node_modules/node/bin/node.exe',
    '../node_modules/.bin/node',
  ]
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((path) => existsSync(path) && path !== process.execPath)
  if (node) handOver(node)
  else {
    process.stderr.write(
      `verbatim: this is Node ${process.versions.node}, but Node ${NEEDED} or newer is needed.\n` +
        `  Install Node ${NEEDED} (https://nodejs.org), or run \`npm install\` in the checkout: it brings one along.\n`,
    )
    process.exitCode = 1
  }
}

/** Runs the same command line with another Node; signals go down, the exit code comes up. */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both processes, so the child may see it twice: interrupts.ts knows.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`verbatim: the Node of this checkout does not start (${error.code}).\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exit(code === null ? 128 + (constants.signals[signal] || 0) : code)
  })
}
