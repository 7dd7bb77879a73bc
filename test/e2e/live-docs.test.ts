import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ERRORS } from '../../lib/core/errors.ts'
import { samplePath } from '../support/reference.ts'
import { call, cleanUp, type RunningService, startService, tempFolder, until } from '../support/service.ts'

// docs/live.md: its commands are run as they stand, its table of errors is compared with the service's.

const doc = readFileSync(fileURLToPath(new URL('../../docs/live.md', import.meta.url)), 'utf8')
const commands = [...doc.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!)

let service: RunningService
let folder: string
beforeAll(async () => {
  folder = await tempFolder()
  service = await startService({ data: join(folder, 'data') })
  const chunk = join(folder, 'chunk0.webm')
  execFileSync('ffmpeg', ['-v', 'error', '-i', samplePath('short'), '-c:a', 'libopus', chunk])
})
afterAll(cleanUp)

describe('docs/live.md', () => {
  it('shows commands that work', async () => {
    expect(commands).toHaveLength(2)
    const env = { ...process.env, VERBATIM_URL: service.url, VERBATIM_TOKEN: service.token }
    for (const command of commands) {
      const ran = spawnSync('bash', ['-c', command], { cwd: folder, env, encoding: 'utf8' })
      const shown = /^# (\{.*\})$/m.exec(command)?.[1]
      if (shown !== undefined) expect(JSON.parse(ran.stdout)).toEqual(JSON.parse(shown))
      expect(JSON.parse(ran.stdout)).not.toHaveProperty('error')
    }
    const session = '/api/sessions/standup-2026-11-20'
    expect((await call(service, 'POST', `${session}/close`)).status).toBe(200)
    const closed = await until(async () => {
      const { body } = await call(service, 'GET', session)
      return body.state === 'CLOSED' ? body : undefined
    })
    expect(closed).toMatchObject({ revision: 2, speakers: ['Ada'], chunks: { received: 1, broken: 0 } })
  })

  it('lists errors with the statuses that the service answers with', () => {
    const rows = [...doc.matchAll(/^\| (\d{3}) +\| `([a-z-]+)`/gm)].map(([, status, code]) => [
      code,
      Number(status),
    ])
    expect(rows.length).toBeGreaterThan(4)
    const table = new Map<string, number>(Object.entries(ERRORS).map(([code, { http }]) => [code, http]))
    expect(rows).toEqual(rows.map(([code]) => [code, table.get(String(code))]))
  })
})
