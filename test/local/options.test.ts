import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import { GIB } from '../../lib/core/settings.ts'
import { defaultOptions, readOptions, type ServiceOptions } from '../../local/options.ts'

const HOUR = 3_600_000

describe('the options of npm start', () => {
  it('are the defaults where nothing is said', () => {
    expect(readOptions([])).toEqual(defaultOptions())
  })

  it('keep to this machine unless told otherwise', () => {
    expect(readOptions([]).host).toBe('127.0.0.1')
  })

  it.each<[string[], Partial<ServiceOptions>]>([
    [['--host', '0.0.0.0'], { host: '0.0.0.0' }],
    [['--port', '0'], { port: 0 }],
    [['--port=9000'], { port: 9000 }],
    [['--data', 'somewhere'], { data: resolve('somewhere') }],
    [['--model', 'base'], { model: 'base' }],
    [[], { engines: 'auto' }],
    [['--threads', '3'], { threads: 3, engines: 'auto' }],
    [['--engines', 'auto'], { engines: 'auto' }],
    [['--engines', '3'], { engines: 3 }],
    [['--engines', '2', '--threads', '5', '--jobs', '1'], { engines: 2, threads: 5, jobs: 1 }],
    [['--shard-minutes', '0.5'], { shardMs: 30_000 }],
    [['--public-url', 'https://x.test/v/'], { publicUrl: 'https://x.test/v' }],
    [['--max-upload-gb', '3'], { maxUploadBytes: 3 * GIB }],
    [['--max-upload-gb', '0.5'], { maxUploadBytes: GIB / 2 }],
    [['--max-hours', '2'], { maxDurationMs: 2 * HOUR }],
    // Whole bytes and milliseconds, as all that reads them expects.
    [['--max-upload-gb', '0.1'], { maxUploadBytes: 107_374_182 }],
    [['--max-hours', '1.1'], { maxDurationMs: 3_960_000 }],
    [['--drain-seconds', '0'], { drainMs: 0 }],
    [['--drain-seconds', '25'], { drainMs: 25_000 }],
    [['--log', 'silent'], { logLevel: 'silent' }],
  ])('%j mean %j', (argv, options) => {
    expect(readOptions(argv)).toMatchObject(options)
  })

  it.each(['publicUrl', 'threads', 'jobs'])('have no %s that nobody gave', (name) => {
    expect(readOptions([])).not.toHaveProperty(name)
  })

  describe('come from the environment', () => {
    const before = { ...process.env }
    afterEach(() => {
      for (const name of ['MODEL', 'VERBATIM_DATA']) {
        if (before[name] === undefined) delete process.env[name]
        else process.env[name] = before[name]
      }
    })

    it('where the command line says nothing', () => {
      process.env.MODEL = 'small'
      process.env.VERBATIM_DATA = 'elsewhere'
      expect(readOptions([])).toMatchObject({ model: 'small', data: resolve('elsewhere') })
      expect(readOptions(['--model', 'base', '--data', '/d'])).toMatchObject({ model: 'base', data: '/d' })
    })

    it('and not from a variable that is empty', () => {
      process.env.MODEL = ''
      expect(readOptions([]).model).toBe('mini')
    })
  })
})

describe('the command line', () => {
  // In a process of its own, because a mistake ends it.
  const module = fileURLToPath(new URL('../../local/options.ts', import.meta.url))
  const script = `const { readOptions } = await import(${JSON.stringify(module)})
    console.log(JSON.stringify(readOptions(process.argv.slice(1))))`
  const read = (...argv: string[]) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script, '--', ...argv], { encoding: 'utf8' })

  it.each([
    [['--port', 'http'], '--port'],
    [['--port', '-1'], '--port'],
    [['--port', '1.5'], '--port'],
    [['--engines', '0'], '--engines'],
    [['--engines', 'many'], '--engines'],
    [['--shard-minutes', '0'], '--shard-minutes'],
    [['--jobs', '0'], '--jobs'],
    [['--max-hours', '0'], '--max-hours'],
    [['--max-upload-gb', 'lots'], '--max-upload-gb'],
    [['--log', 'debug'], '--log'],
    [['--surprise'], '--surprise'],
  ])('refuses %j on stderr, and names the option', (argv, named) => {
    const { status, stdout, stderr } = read(...argv)
    expect(status).not.toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toContain(named)
  })

  it('--help tells the options on stdout', () => {
    const { status, stdout } = read('--help')
    expect(status).toBe(0)
    for (const option of ['--data', '--model', '--public-url', 'VERBATIM_DATA'])
      expect(stdout).toContain(option)
  })
})
