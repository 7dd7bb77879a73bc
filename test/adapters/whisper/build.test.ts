import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ensureEngine, findBuiltEngine, percentOf } from '../../../lib/adapters/whisper/build.ts'
import { x86Flags } from '../../../lib/adapters/whisper/flags.ts'
import { versionOf } from '../../../lib/adapters/whisper/source.ts'
import { findProgram } from '../../../lib/adapters/whisper/tools.ts'
import { codeOf, until } from './support.ts'

/** What the build looks at in whisper.cpp, in a second's work of compiling. */
const CMAKE = `
cmake_minimum_required(VERSION 3.5)
project("whisper.cpp" C CXX)
project("whisper.cpp" VERSION 9.8.7)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY \${CMAKE_BINARY_DIR}/bin)
include(cmake/build-info.cmake)
add_executable(whisper-server src/server.cpp)
`
const SERVER = '#include <cstdio>\nint main() { puts("--request-path PATH"); }\n'
/** Compiles for longer than the test waits. */
const ENDLESS = `${CMAKE}add_custom_command(TARGET whisper-server PRE_BUILD COMMAND sleep 30)\n`

describe('building the engine', () => {
  const before = { ...process.env }
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'build-test-'))
    process.env.VERBATIM_CACHE = join(folder, 'cache')
    process.env.WHISPER_CPP_DIR = join(folder, 'tree')
    await tree(CMAKE, SERVER)
  })
  afterEach(async () => {
    process.env = { ...before }
    await rm(folder, { recursive: true })
  })

  async function tree(cmake: string, server: string): Promise<void> {
    await mkdir(join(folder, 'tree', 'src'), { recursive: true })
    await writeFile(join(folder, 'tree', 'CMakeLists.txt'), cmake)
    await writeFile(join(folder, 'tree', 'LICENSE'), 'MIT')
    await mkdir(join(folder, 'tree', 'cmake'), { recursive: true })
    await writeFile(join(folder, 'tree', 'cmake', 'build-info.cmake'), '')
    await writeFile(join(folder, 'tree', 'src', 'server.cpp'), server)
  }
  const inCache = async () => await readdir(join(folder, 'cache', 'engine')).catch(() => [])

  it('happens once, and again when the source has changed', async () => {
    const lines: string[] = []
    expect(await findBuiltEngine()).toBeUndefined()
    const first = await ensureEngine({ onProgress: (line) => lines.push(line) })
    expect(first.version).toBe('9.8.7')
    expect(lines).toEqual(expect.arrayContaining(['fetching source', 'building 100 %']))
    expect(await ensureEngine({ onProgress: () => lines.push('again') })).toEqual(first)
    expect(await findBuiltEngine()).toEqual(first)
    expect(lines).not.toContain('again')
    await tree(CMAKE, `${SERVER}// changed\n`)
    expect((await ensureEngine()).serverPath).not.toBe(first.serverPath)
    expect((await inCache()).filter((name) => !name.startsWith('9.8.7-'))).toEqual([])
  })

  it('happens once when two ask for it at the same time', async () => {
    const lines: string[] = []
    const onProgress = (line: string) => lines.push(line)
    const [one, other] = await Promise.all([ensureEngine({ onProgress }), ensureEngine({ onProgress })])
    expect(one).toEqual(other)
    expect(lines.filter((line) => line === 'configuring')).toHaveLength(1)
    expect(lines).toContain('waiting for another build')
  })

  it('leaves nothing behind when it is cancelled or fails', async () => {
    await tree(ENDLESS, SERVER)
    const cancel = new AbortController()
    const onProgress = (line: string) => {
      if (line === 'configuring') setTimeout(() => cancel.abort(), 1500)
    }
    expect(await codeOf(ensureEngine({ onProgress, signal: cancel.signal }))).toBe('cancelled')
    expect(await inCache()).toEqual([])
    await tree(CMAKE, 'this is not C++')
    expect(await codeOf(ensureEngine())).toBe('engine-missing')
    await tree(CMAKE, 'int main() { return 1; }') // compiles, but is no server
    expect(await codeOf(ensureEngine())).toBe('engine-missing')
    expect(await inCache()).toEqual([])
  })

  it('does not mind what a killed build has left', async () => {
    await tree(ENDLESS, SERVER)
    const module = fileURLToPath(new URL('../../../lib/adapters/whisper/build.ts', import.meta.url))
    const script = `import(${JSON.stringify(module)}).then(({ ensureEngine }) => ensureEngine())`
    const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: process.env,
      stdio: 'ignore',
    })
    const cache = join(folder, 'cache', 'engine')
    await until(() => existsSync(cache) && readdirSync(cache).some((name) => name.startsWith('.building-')))
    host.kill('SIGKILL')
    await new Promise((resolve) => host.once('exit', resolve))
    expect(await findBuiltEngine()).toBeUndefined()
    // What its orphaned cmake still writes to may outlast one build, but never hinders it.
    for (let n = 0; readdirSync(cache).some((name) => name.startsWith('.building-')); n += 1) {
      await tree(CMAKE, `${SERVER}// ${n}\n`)
      expect((await ensureEngine()).version).toBe('9.8.7')
    }
  })

  it('says which command installs what is missing', async () => {
    const bin = join(folder, 'bin')
    await mkdir(bin)
    process.env.PATH = bin
    await expect(ensureEngine()).rejects.toMatchObject({
      code: 'engine-missing',
      message: expect.stringContaining('a C++ compiler'),
      hint: expect.stringContaining('cmake'),
    })
    await writeFile(join(bin, 'apk'), '')
    await chmod(join(bin, 'apk'), 0o755)
    for (const tool of ['make', 'tar']) {
      process.env.PATH = before.PATH
      const path = await findProgram(tool)
      process.env.PATH = bin
      await symlink(path!, join(bin, tool))
    }
    if (process.platform !== 'darwin') {
      await expect(ensureEngine()).rejects.toMatchObject({ hint: 'Run: apk add cmake g++' })
    }
  })

  it('refuses a folder that is no source tree', async () => {
    process.env.WHISPER_CPP_DIR = folder
    expect(await codeOf(ensureEngine())).toBe('engine-missing')
  })

  it('reads the version as older and newer trees state it', () => {
    const newer = `project("whisper.cpp" C CXX)
      set(WHISPER_VERSION_MAJOR 1)\n set(WHISPER_VERSION_MINOR 9)\n set(WHISPER_VERSION_PATCH 3)`
    expect(versionOf(newer)).toBe('1.9.3')
    expect(versionOf('project("whisper.cpp" VERSION 1.9.1)')).toBe('1.9.1')
    expect(versionOf('project("whisper.cpp" C CXX)')).toBeUndefined()
    expect(versionOf('project("another" VERSION 1.0)')).toBeUndefined()
  })

  it('tells how far ninja and make are', () => {
    expect(percentOf('[12/48] Building CXX object')).toBe(25)
    expect(percentOf('[  7%] Building CXX object')).toBe(7)
    expect(percentOf('[100%] Built target whisper-server')).toBe(100)
    expect(percentOf('-- Configuring done')).toBeUndefined()
  })

  it('leaves out what the CPU lacks', () => {
    expect(x86Flags(new Set(['avx', 'f16c', 'sse4_2']))).toEqual({
      GGML_AVX: 'ON',
      GGML_AVX2: 'OFF',
      GGML_FMA: 'OFF',
      GGML_F16C: 'ON',
      GGML_BMI2: 'OFF',
    })
    expect(Object.values(x86Flags(undefined))).toEqual(['ON', 'ON', 'ON', 'ON', 'ON'])
  })
})
