import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { LIVE_ROUTES, ROUTES } from '../../lambdas/api/routes.ts'

// What is loaded at a cold start, bundled as lib/infra/constructs/small-function.ts has it bundled. How long that takes
// is measured by `npm run bench:bundles`.

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const NAMES = [
  ...Object.keys({ ...ROUTES, ...LIVE_ROUTES }).map(kebab),
  ...['on-upload', 'dead-letter', 'live-dead-letter', 'tick', 'deliver'],
]
const MOST_BYTES = 1_000_000

const Meta = z.object({
  outputs: z.record(
    z.string(),
    z.object({ bytes: z.number(), inputs: z.record(z.string(), z.object({ bytesInOutput: z.number() })) }),
  ),
})

let outputs: z.infer<typeof Meta>['outputs']
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-bundles-'))
  const entries = NAMES.map((name) => `lambdas/aws/${name}.ts`)
  const how = [
    '--bundle',
    '--minify',
    '--platform=node',
    '--format=esm',
    '--target=node24',
    '--log-level=error',
  ]
  const where = [`--outdir=${folder}/out`, `--metafile=${folder}/meta.json`]
  const args = [...entries, ...how, ...where, '--main-fields=module,main', '--legal-comments=none']
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/esbuild'), args, { cwd: ROOT })
  outputs = Meta.parse(JSON.parse(await readFile(join(folder, 'meta.json'), 'utf8'))).outputs
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const bundleOf = (name: string) =>
  Object.entries(outputs).find(([path]) => path.endsWith(`/out/${name}.js`))![1]

describe.each(NAMES)('the bundle of %s', (name) => {
  it('is at most 1 MB', () => {
    expect(bundleOf(name).bytes).toBeLessThanOrEqual(MOST_BYTES)
  })

  it('holds no decoder, no store of one machine and nothing of the deployment', () => {
    const inside = Object.entries(bundleOf(name).inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    const foreign = /lib\/infra\/|lib\/adapters\/local\/|node_modules\/(aws-cdk-lib|audio-decode)\//
    expect(inside.map(([path]) => path).filter((path) => foreign.test(path))).toEqual([])
  })
})
