import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

import { createProgram } from '../../client-cli/program.ts'

const cli = fileURLToPath(new URL('../../client-cli/verbatim.js', import.meta.url))
const asNode20 = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`
const run = (path: string, args: string[], node: string[] = []) =>
  spawnSync(process.execPath, [...node, path, ...args], { encoding: 'utf8', env: { PATH: process.env.PATH } })

describe('the launcher', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'verbatim-launcher-'))
    mkdirSync(join(folder, 'client-cli'))
    cpSync(cli, join(folder, 'client-cli/verbatim.js'))
    cpSync(join(cli, '../../package.json'), join(folder, 'package.json'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('an old Node without a new one nearby says which Node is needed', () => {
    const { status, stdout, stderr } = run(
      join(folder, 'client-cli/verbatim.js'),
      ['--version'],
      ['--import', asNode20],
    )
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('Node 24 or newer is needed')
  })

  it('an old Node hands over to the one of the checkout, with arguments, output and exit code', () => {
    const version = run(cli, ['--version'], ['--import', asNode20])
    expect(version).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    expect(run(cli, ['no-such-command'], ['--import', asNode20]).status).toBe(2)
  })

  it('an interruption goes through to the child, and its exit code comes back', async () => {
    const child = spawn(process.execPath, ['--import', asNode20, cli, 'upload', '-', '--token', 'x'])
    // Help for the eyes of a test: nothing is printed until stdin ends, so wait for the child's own child.
    child.stdin.write('sound')
    const taken = new Promise((resolve) => child.stdin.write(Buffer.alloc(1_000_000), resolve))
    await taken
    child.kill('SIGINT')
    expect(await new Promise((resolve) => child.on('exit', (code) => resolve(code)))).toBe(130)
  })
})

describe('usage errors', () => {
  it.each([
    [['transcrib'], 'Did you mean transcribe?'],
    [['transcribe'], "missing required argument 'file'"],
    [['list', '--limit', '0'], 'A whole number from 1'],
    [['transcribe', 'a.wav', '-f', 'docx'], 'Choose from json'],
    [['transcribe', 'a.wav', '--overwrite', '--skip-existing'], 'exclude each other'],
    [['transcribe', 'a.wav', '-f', 'all', '-o', '-'], 'Only one format fits'],
    [['rm', 'x'], 'There is nobody to ask'],
    [['list', '--url', 'nonsense'], 'The service URL is not one'],
  ])('verbatim %p exits with 2 and says why on stderr', (args, message) => {
    const { status, stdout, stderr } = run(cli, args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  it('a service that does not run exits with 7, and --json says so on stdout', () => {
    const { status, stdout, stderr } = run(cli, [
      'list',
      '--json',
      '--url',
      'http://127.0.0.1:9',
      '--token',
      'hush',
    ])
    expect(status).toBe(7)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'network' } })
    expect(stdout + stderr).not.toContain('hush')
  })

  it('every command has help that names the options all of them take', () => {
    const program = createProgram('1.2.3', async () => {}, { writeOut() {}, writeErr() {} })
    expect(program.commands.length).toBeGreaterThan(10)
    for (const command of program.commands) expect(command.helpInformation()).toContain('--json')
  })
})
