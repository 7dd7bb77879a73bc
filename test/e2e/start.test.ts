import { spawn } from 'node:child_process'
import { copyFile, readFile, truncate } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cleanUp, tempFolder } from '../support/service.ts'

const local = (name: string) => fileURLToPath(new URL(`../../local/${name}`, import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(cleanUp)

/** Runs one of our programs to its end. */
function run(program: string, args: string[], env: Record<string, string> = {}, cwd?: string) {
  const child = spawn(process.execPath, [local(program), ...args], { env: { ...process.env, ...env }, cwd })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, out, err })),
  )
  return { child, ended, err: () => err }
}

describe('npm start', () => {
  const start = (...args: string[]) =>
    run('main.ts', ['--port', '0', '--data', join(folder, 'data'), ...args]).ended

  it('says how to get a model that is not there', async () => {
    const { code, err } = await run('main.ts', ['--data', join(folder, 'a'), '--model', 'large-v3'], {
      VERBATIM_CACHE: join(folder, 'empty-cache'),
    }).ended
    expect(code).toBe(8)
    expect(err).toContain('verbatim model get large-v3')
  })

  it('does not start with a model that does not load', async () => {
    const broken = join(folder, 'broken.bin')
    await copyFile(fileURLToPath(new URL('../../models/mini/ggml-mini-q5_0.bin', import.meta.url)), broken)
    await truncate(broken, 1_000_000)
    const { code, err } = await start('--model', broken)
    expect([code, err]).toEqual([8, expect.stringContaining('model-corrupt')])
  })

  it('says so when its port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const { code, err } = await start('--port', String(port))
    server.close()
    expect([code, err]).toEqual([7, expect.stringContaining(`Port ${port} is in use.`)])
  })

  it.each([['--port', 'many'], ['--threads', '0'], ['--log', 'loud'], ['--nonsense']])(
    'refuses %s %s',
    async (...args) => {
      const { code, err } = await start(...args)
      expect(code).not.toBe(0)
      expect(err).toMatch(/error: /)
    },
  )
})

describe('npm run demo', () => {
  it('transcribes the sample, prints it with times and the paths of its files, and stops', async () => {
    const out = join(folder, 'demo')
    const result = await run('demo.ts', ['--out', out]).ended
    expect(result).toMatchObject({ code: 0 })
    expect(result.out).toContain('[0:00.40 – 0:01.62] Good morning everyone.')
    for (const format of ['json', 'srt', 'vtt', 'txt']) {
      const path = join(out, `meeting60.${format}`)
      expect(result.out).toContain(path)
      expect(await readFile(path, 'utf8')).toContain('everyone')
    }
  })

  it('says what is wrong with a recording', async () => {
    const { code, err } = await run('demo.ts', ['--file', local('demo.ts'), '--out', join(folder, 'x')]).ended
    expect([code, err]).toEqual([5, expect.stringMatching(/unsupported-audio|bad-audio/)])
  })

  it('stops at Ctrl-C and leaves nothing running', async () => {
    const { child, ended, err } = run('demo.ts', ['--out', join(folder, 'y')])
    while (!err().includes('uploading')) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
  })
})
