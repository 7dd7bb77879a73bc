import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { print, spread } from './stats.ts'

// What a cold start of each function loads: `npm run bench:bundles`. Every entry is bundled as it is deployed and
// imported in a fresh Node, several times over. Fails when a bundle is larger than it may be.

const NAMES = [
  ...['upload', 'complete', 'status', 'list', 'cancel', 'erase', 'health', 'openapi'],
  ...[
    'stream',
    'speaker',
    'transcription',
    'events',
    'sessions',
    'session',
    'close-session',
    'erase-session',
  ],
  ...['deliveries', 'replay-delivery', 'test-webhook'],
  ...['on-upload', 'dead-letter', 'live-dead-letter', 'tick', 'deliver'],
]
const MOST_BYTES = 1_000_000
const ROUNDS = 5

/** Some of the SDK's packages are CommonJS inside and ask for Node's modules with `require`. */
const BANNER = "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);"

const ENVIRONMENT = {
  ...{
    STAGE: 'bench',
    TABLE_NAME: 'table',
    BUCKET_NAME: 'bucket',
    MODEL: 'mini',
    AWS_REGION: 'eu-central-1',
  },
  ...{ WORK_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/000000000000/work', RECORD_DAYS: '1' },
  ...{ MAX_UPLOAD_BYTES: '1', MAX_DURATION_MS: '1', PARAMETERS: '/verbatim/bench/' },
  LIVE_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/000000000000/live.fifo',
  DELIVERIES_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/000000000000/deliveries.fifo',
}

/** What Lambda's runtime has for the one function that streams. */
const RUNTIME = 'globalThis.awslambda = { streamifyResponse: (handler) => handler };'

const TIMED_IMPORT =
  RUNTIME +
  'const begin = performance.now(); await import(process.argv[1]); console.log(performance.now() - begin)'

async function importMs(file: string): Promise<number> {
  const options = { env: { ...ENVIRONMENT } }
  const args = ['--input-type=module', '-e', TIMED_IMPORT, file]
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return Number(stdout)
}

async function measure(name: string, folder: string): Promise<number> {
  const outfile = join(folder, `${name}.mjs`)
  await build({
    entryPoints: [fileURLToPath(new URL(`../lambdas/aws/${name}.ts`, import.meta.url))],
    ...{ outfile, bundle: true, minify: true, platform: 'node', format: 'esm', target: 'node24' },
    ...{ mainFields: ['module', 'main'], banner: { js: BANNER }, logLevel: 'warning' },
  })
  const { size } = await stat(outfile)
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) times.push(await importMs(outfile))
  const { median, max } = spread(times)
  const kib = (size / 1024).toFixed(0).padStart(5)
  print(`${name.padEnd(12)} ${kib} KiB   import median ${median.toFixed(0)} ms, most ${max.toFixed(0)} ms`)
  return size
}

const folder = await mkdtemp(join(tmpdir(), 'verbatim-bundles-'))
try {
  for (const name of NAMES) if ((await measure(name, folder)) > MOST_BYTES) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
