import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { DEFAULT_URL, Environment, resolveSettings, writeConfig } from '../../client-cli/settings.ts'

describe('where the URL and the token come from', () => {
  let folder: string
  const env = (more: Record<string, string> = {}) => Environment.parse({ XDG_CONFIG_HOME: folder, ...more })
  const keep = (name: string, token: string) => {
    const data = join(folder, name)
    mkdirSync(data)
    writeFileSync(join(data, 'token'), `${token}\n`)
    return data
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'verbatim-settings-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('options win over the environment, and that over the kept ones', () => {
    writeConfig(env(), { url: 'https://kept.example', token: 'kept' })
    const variables = { VERBATIM_URL: 'https://env.example', VERBATIM_TOKEN: 'env' }
    expect(resolveSettings({}, env())).toMatchObject({ url: 'https://kept.example', token: 'kept' })
    expect(resolveSettings({}, env(variables))).toMatchObject({ url: 'https://env.example', token: 'env' })
    const flags = { url: 'https://flag.example/prod/', token: 'flag' }
    expect(resolveSettings(flags, env(variables))).toMatchObject({
      url: 'https://flag.example/prod',
      token: 'flag',
    })
  })

  it('a kept token never goes to another service', () => {
    writeConfig(env(), { url: 'https://kept.example', token: 'kept' })
    expect(resolveSettings({ url: 'https://other.example' }, env()).token).toBeUndefined()
  })

  it('what is kept can be read by nobody else', () => {
    const path = writeConfig(env(), { url: DEFAULT_URL, token: 'kept' })
    expect(statSync(path).mode & 0o077).toBe(0)
  })

  it('a service on this machine is called with the token of its data folder', () => {
    const data = keep('data', 'local')
    expect(resolveSettings({ data }, env())).toMatchObject({ url: DEFAULT_URL, token: 'local' })
    expect(resolveSettings({}, env({ VERBATIM_DATA: data })).token).toBe('local')
    for (const url of ['http://localhost:1', 'http://[::1]:1', 'http://127.0.0.2:1'])
      expect(resolveSettings({ url, data }, env()).token).toBe('local')
  })

  it('the token of a data folder never leaves this machine', () => {
    const data = keep('data', 'local')
    for (const url of ['https://example.com', 'http://127.0.0.1.example.com', 'http://localhost.example.com'])
      expect(resolveSettings({ url, data }, env()).token).toBeUndefined()
  })

  it.each(['nonsense', 'ftp://example.com', 'file:///etc/passwd'])('%s is no service', (url) => {
    expect(() => resolveSettings({ url }, env())).toThrow('The service URL is not one.')
  })

  it('an empty variable counts as one that is not set', () => {
    expect(resolveSettings({}, env({ VERBATIM_URL: '' })).url).toBe(DEFAULT_URL)
  })
})
