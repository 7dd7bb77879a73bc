import { spawn } from 'node:child_process'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { samplePath } from '../support/reference.ts'
import { cleanUp, type RunningService, startService, tempFolder } from '../support/service.ts'

// Every example of the README is run as it stands, in a folder with the recordings it names.

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = await readFile(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!)
/** Those that set up or start things are run by start.test.ts, and by CI. */
const isSetUp = (block: string) => /^npm (ci|start)/.test(block)

let service: RunningService
let folder: string

beforeAll(async () => {
  const temp = await tempFolder()
  service = await startService({ data: join(temp, 'data') })
  folder = join(temp, 'work')
  await mkdir(join(folder, 'recordings'), { recursive: true })
  await copyFile(samplePath('meeting60'), join(folder, 'interview.wav'))
  await copyFile(samplePath('short'), join(folder, 'recordings', 'monday.wav'))
  await copyFile(samplePath('short'), join(folder, 'recordings', 'tuesday.wav'))
})
afterAll(cleanUp)

function bash(script: string): Promise<{ code: number | null; out: string; err: string }> {
  // npx finds `verbatim` in an installed package; here the command is the checkout's own.
  const npx = `npx() { shift; ${JSON.stringify(process.execPath)} ${JSON.stringify(join(root, 'client-cli/verbatim.js'))} "$@"; }`
  const child = spawn('bash', ['-c', `set -eo pipefail\n${npx}\n${script}`], {
    cwd: folder,
    env: { ...process.env, VERBATIM_URL: service.url, VERBATIM_TOKEN: service.token },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

describe('the README', () => {
  it('begins with the two commands', () => {
    const [first] = blocks
    expect(first).toMatch(/^npm ci && npm run demo .*\nnpm ci && npm test /)
  })

  it('has examples of live captions that work', async () => {
    const [block] = blocks.filter((it) => it.includes('npx verbatim live'))
    const { code, out, err } = await bash(block!)
    expect({ code, err }).toMatchObject({ code: 0 })
    expect(out).toContain('Good morning everyone.')
    expect(out).toContain('CLOSED')
  })

  it('has CLI examples that work', async () => {
    const [block] = blocks.filter((it) => it.includes('npx verbatim transcribe'))
    const { code, out, err } = await bash(block!)
    expect({ code, err }).toMatchObject({ code: 0 })
    expect(await readFile(join(folder, 'interview.txt'), 'utf8')).toMatch(/^Good morning everyone\./)
    expect(await readFile(join(folder, 'out', 'tuesday.srt'), 'utf8')).toContain('Please send the report')
    expect(out).toContain('budget')
    expect(out).toContain('large-v3')
  })

  it('has a REST example that works', async () => {
    const [block] = blocks.filter((it) => it.includes('curl'))
    const { code, out, err } = await bash(block!)
    expect({ code, err }).toMatchObject({ code: 0 })
    expect(out).toMatch(/^1\n00:00:00,4\d\d --> 00:00:01,6\d\d\nGood morning everyone\.\n/)
  })

  it('has no example that is not run', () => {
    const others = blocks.filter((it) => !isSetUp(it) && !/npx verbatim (transcribe|live)|curl/.test(it))
    expect(others).toEqual([])
  })
})
