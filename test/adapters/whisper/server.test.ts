import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { transcriptionForm } from '../../../lib/adapters/whisper/hear.ts'
import { createServer, type Server } from '../../../lib/adapters/whisper/server.ts'
import { engineOptions } from '../../support/engine.ts'
import { codeOf, isRunning, repeat, sample, until } from './support.ts'

const FORM = transcriptionForm(sample('short.wav'), { language: 'en' })
const GENEROUS = { timeoutMs: 60_000 }

describe('one engine process', () => {
  let folder: string
  let server: Server | undefined
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'server-test-'))
  })
  afterEach(async () => {
    await server?.stop()
    await rm(folder, { recursive: true })
  })

  async function serve(overrides: { serverPath?: string; modelPath?: string }): Promise<Server> {
    const { serverPath, modelPath, log } = await engineOptions()
    server = createServer({ serverPath, modelPath, threads: 1, startMs: 30_000, log, ...overrides })
    return server
  }

  /** A program in place of whisper-server. */
  async function program(script: string): Promise<string> {
    const path = join(folder, 'whisper-server')
    await writeFile(path, `#!/bin/sh\n${script}\n`)
    await chmod(path, 0o755)
    return path
  }

  it('shares a start among those who ask for it', async () => {
    const { start, pid } = await serve({})
    await Promise.all([start(), start(), start()])
    const first = pid()
    await start()
    expect(pid()).toBe(first)
  })

  it('is put down when a request takes too long, and the next one gets a new process', async () => {
    const { ask, start, pid } = await serve({})
    await start()
    const first = pid()
    const long = transcriptionForm(repeat(sample('meeting60.wav'), 10), { language: 'en' })
    expect(await codeOf(ask(long, { timeoutMs: 300 }))).toBe('engine-timeout')
    expect(isRunning(first!)).toBe(false)
    expect(await ask(FORM, GENEROUS)).toContain('Alice')
    expect(pid()).not.toBe(first)
  })

  it('fails with a code of its own for each thing that can be missing or broken', async () => {
    const { modelPath } = await engineOptions()
    const model = await readFile(modelPath)
    const broken = join(folder, 'broken.bin')
    const tries = async (overrides: { serverPath?: string; modelPath?: string }) => {
      const one = await serve(overrides)
      return await codeOf(one.start())
    }
    expect(await tries({ serverPath: join(folder, 'nothing-here') })).toBe('engine-missing')
    expect(await tries({ modelPath: join(folder, 'nothing-here.bin') })).toBe('model-missing')
    expect(await tries({ modelPath: folder })).toBe('model-missing')
    await writeFile(broken, 'not a model')
    expect(await tries({ modelPath: broken })).toBe('model-corrupt')
    await writeFile(broken, model.subarray(0, model.length / 2))
    expect(await tries({ modelPath: broken })).toBe('model-corrupt')
    // whisper.cpp would load this one: only its last tensor is cut off.
    await writeFile(broken, model.subarray(0, model.length - 1))
    expect(await tries({ modelPath: broken })).toBe('model-corrupt')
    expect(await tries({ serverPath: await program('exit 3') })).toBe('model-corrupt')
    expect(await tries({ serverPath: await program('echo "failed to allocate" >&2; exit 3') })).toBe(
      'engine-crashed',
    )
    expect(await tries({ serverPath: await program('exec /no/such/interpreter') })).toBe('engine-missing')
    expect(await tries({ serverPath: await program('kill -ILL $$') })).toBe('engine-missing')
    expect(await tries({ serverPath: await program('kill -9 $$') })).toBe('engine-crashed')
  })

  it('is no longer started over and over when it crashes each time', async () => {
    const runs = join(folder, 'runs')
    const { ask } = await serve({ serverPath: await program(`echo run >> ${runs}; exit 1`) })
    for (let i = 0; i < 9; i += 1) expect(await codeOf(ask(FORM, GENEROUS))).toBe('engine-crashed')
    expect((await readFile(runs, 'utf8')).trim().split('\n')).toHaveLength(5)
  })

  it('tries another port when the first one is taken', async () => {
    const runs = join(folder, 'runs')
    const script = `echo run >> ${runs}; echo "couldn't bind to server socket: hostname=127.0.0.1 port=1" >&2; exit 1`
    const { start } = await serve({ serverPath: await program(script) })
    expect(await codeOf(start())).toBe('engine-crashed')
    expect((await readFile(runs, 'utf8')).trim().split('\n')).toHaveLength(5)
  })

  it('stops while it still loads', async () => {
    const pidFile = join(folder, 'pid')
    const { start, stop } = await serve({
      serverPath: await program(`echo $$ > ${pidFile}; exec sleep 1000`),
    })
    const starting = codeOf(start())
    let pid = 0
    while (!pid) pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
    await stop()
    expect(await starting).toBe('engine-crashed')
    expect(isRunning(pid)).toBe(false)
  })

  it('gives up on a model that does not load in time', async () => {
    const { modelPath, log } = await engineOptions()
    const serverPath = await program('exec sleep 1000')
    server = createServer({ serverPath, modelPath, threads: 1, startMs: 200, log })
    expect(await codeOf(server.start())).toBe('engine-timeout')
  })

  it('dies with its host, even when that is killed and can do nothing about it', async () => {
    const script = fileURLToPath(new URL('orphan-host.ts', import.meta.url))
    const host = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(host.stdout, 'data')) as [Buffer]
    const [pid] = JSON.parse(line.toString()) as [number]
    expect(isRunning(pid)).toBe(true)
    host.kill('SIGKILL')
    await until(() => !isRunning(pid))
  })
})
