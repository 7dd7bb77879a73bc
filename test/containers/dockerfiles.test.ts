import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { IgnoreStrategy } from 'aws-cdk-lib'
import * as z from 'zod'
import { SinkEnvironment } from '../../lib/adapters/sinks/environment.ts'
import { lineage, ROOT, readDockerfile } from '../support/dockerfile.ts'

// The images are built by containers/test.sh, which needs docker. What of them can go wrong by a change elsewhere, and be
// seen without building, is here.

const FILES = ['verbatim.Dockerfile', 'worker-lambda.Dockerfile', 'worker-gpu.Dockerfile'] as const
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')

describe('the build context', () => {
  const patterns = text('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const ignore = IgnoreStrategy.docker(ROOT, patterns)
  const isLeftOut = (path: string) => ignore.ignores(join(ROOT, path))

  it.each(FILES)('has all that %s copies', (file) => {
    const copied = readDockerfile(file).stages.flatMap((stage) => stage.copied)
    expect(copied.length).toBeGreaterThan(10)
    expect(copied.filter((path) => !existsSync(join(ROOT, path)) || isLeftOut(path))).toEqual([])
  })

  it.each([
    ...['.git/config', '.env', 'containers/.env', 'containers/.env.prod', '.npmrc', 'lib/.env'],
    ...['node_modules/zod/package.json', 'cdk.out/manifest.json', 'verbatim-data/token'],
    ...['test/walls.test.ts', 'docs/containers.md', 'lib/infra/app.ts', 'models/mini/samples/short.wav'],
  ])('leaves out %s', (path) => {
    expect(isLeftOut(path)).toBe(true)
  })
})

describe('what a stage runs', () => {
  const both = ['worker-lambda.Dockerfile', 'worker-gpu.Dockerfile'] as const
  it.each([
    ...FILES.map((file) => [file, 'ffmpeg', 'containers/build/ffmpeg-flags.ts', 'none'] as const),
    ...FILES.map((file) => [file, 'engine', 'containers/build/engine.ts', 'zod'] as const),
    ...both.map((file) => [file, 'model', 'containers/build/model.ts', 'zod'] as const),
    ...both.map((file) => [file, 'program', 'containers/build/bundle.ts', 'all'] as const),
    [both[0], 'program', 'containers/lambda/main.ts', 'all'],
    [both[1], 'program', 'lambdas/aws/poller.ts', 'all'],
    [FILES[0], 'final', 'local/main.ts', 'all'],
    [FILES[0], 'final', 'client-cli/verbatim.js', 'all'],
  ] as const)('%s, %s: finds all that %s imports', (file, stage, entry, packages) => {
    const there = lineage(readDockerfile(file), stage).flatMap(({ copied }) => copied)
    const { files, external } = importsOf(entry)
    expect(files).toContain(entry)
    const missing = files.filter((path) => !there.some((it) => path === it || path.startsWith(`${it}/`)))
    expect(missing).toEqual([])
    if (packages !== 'all') expect(external.filter((name) => name !== packages)).toEqual([])
  })

  const Meta = z.object({
    inputs: z.record(
      z.string(),
      z.object({ imports: z.array(z.object({ path: z.string(), external: z.boolean().optional() })) }),
    ),
  })

  /** All files of the repository behind an entry, and the packages that they need. */
  function importsOf(entry: string) {
    const folder = mkdtempSync(join(tmpdir(), 'verbatim-imports-'))
    const how = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=error']
    const out = [`--outfile=${folder}/out.js`, `--metafile=${folder}/meta.json`]
    execFileSync(join(ROOT, 'node_modules/.bin/esbuild'), [entry, ...how, ...out], { cwd: ROOT })
    const { inputs } = Meta.parse(JSON.parse(readFileSync(`${folder}/meta.json`, 'utf8')))
    rmSync(folder, { recursive: true })
    const external = Object.values(inputs)
      .flatMap(({ imports }) => imports.filter((it) => it.external).map(({ path }) => path))
      .filter((path) => !path.startsWith('node:'))
    return { files: Object.keys(inputs), external: [...new Set(external)] }
  }
})

describe('the Dockerfiles', () => {
  it.each(['tools', 'ffmpeg', 'modules', 'engine'])(
    'make the stage %s once: it is the same in all',
    (name) => {
      const texts = FILES.map(
        (file) => readDockerfile(file).stages.find((stage) => stage.name === name)!.text,
      )
      const withoutComments = texts.map((it) => it.replace(/^#.*\n/gm, '').trim())
      expect(new Set(withoutComments).size).toBe(1)
    },
  )

  it('start from the same base', () => {
    expect(new Set(FILES.map((file) => readDockerfile(file).args.BASE)).size).toBe(1)
  })

  it('have the Node that the package asks for', () => {
    const { devDependencies } = JSON.parse(text('package.json'))
    expect(text('containers/build/tools.sh')).toContain(`NODE=${devDependencies.node}\n`)
  })
})

describe('compose.yaml', () => {
  const compose = text('containers/compose.yaml')

  it('hands on every variable for captions and webhooks', () => {
    const names = Object.keys(SinkEnvironment.shape)
    expect(names).toContain('REDIS_URL')
    expect(names.filter((name) => !compose.includes(`    ${name}:\n`))).toEqual([])
  })

  it('builds for the same GPUs with the same CUDA as the GPU worker', () => {
    const { args } = readDockerfile('worker-gpu.Dockerfile')
    expect(compose).toContain(`ENGINE_BASE: ${args.ENGINE_BASE}\n`)
    expect(compose).toContain(`CUDA_ARCHITECTURES: "${args.CUDA_ARCHITECTURES}"\n`)
  })
})
