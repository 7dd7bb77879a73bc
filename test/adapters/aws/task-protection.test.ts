import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createTaskProtection } from '../../../lib/adapters/aws/task-protection.ts'
import { createLog } from '../../../lib/adapters/log.ts'
import { eventually } from '../../support/ports.ts'

// The ECS agent, as far as this concerns it: takes the state of a task and says what it has become.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html

const ON = { ProtectionEnabled: true, ExpiresInMinutes: 10 }
const OFF = { ProtectionEnabled: false }

let agent: Server
let asked: Array<{ request: string; body: { ProtectionEnabled: boolean } }>
let answer: (res: ServerResponse, body: { ProtectionEnabled: boolean }) => void
let logLines: string[]

beforeEach(async () => {
  asked = []
  logLines = []
  answer = (res, { ProtectionEnabled }) => {
    const ExpirationDate = '2026-01-01T00:10:00Z'
    const TaskArn = 'arn:aws:ecs:us-west-2:111122223333:task/c/1234'
    reply(res, 200, { protection: { ExpirationDate, ProtectionEnabled, TaskArn } })
  }
  agent = createServer(async (req, res) => {
    let text = ''
    for await (const piece of req) text += piece
    const body = JSON.parse(text)
    asked.push({ request: `${req.method} ${req.url} ${req.headers['content-type']}`, body })
    answer(res, body)
  })
  agent.listen(0, '127.0.0.1')
  await once(agent, 'listening')
})
afterEach(() => {
  agent.closeAllConnections()
  agent.close()
})

function reply(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const protection = (over: { agentUri?: string | undefined; renewMs?: number } = {}) => {
  const agentUri = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/api/4f2c`
  // What a test before this one has still on its way is written to its own lines.
  const lines = logLines
  const log = createLog({ level: 'info', write: (line) => lines.push(line) })
  return createTaskProtection({ agentUri, log, ...over })
}

/** Work that lasts until it is let go. */
function blocked() {
  const { promise, resolve } = Promise.withResolvers<string>()
  return { work: () => promise, letGo: () => resolve('done') }
}

const bodies = () => asked.map(({ body }) => body)
const codes = () => logLines.map((line) => JSON.parse(line).code)

describe('a task', () => {
  it('asks the agent for protection while it works, and for none when it rests', async () => {
    const { work, letGo } = blocked()
    const done = protection().during(work)
    await eventually(async () => asked.length === 1)
    expect(bodies()).toEqual([ON])
    letGo()
    expect(await done).toBe('done')
    await eventually(async () => asked.length === 2)
    expect(bodies()).toEqual([ON, OFF])
    expect(new Set(asked.map(({ request }) => request))).toEqual(
      new Set(['PUT /api/4f2c/task-protection/v1/state application/json']),
    )
    expect(logLines).toEqual([])
  })

  it('is protected from the first of several jobs to the end of the last', async () => {
    const { during } = protection()
    const [one, two] = [blocked(), blocked()]
    const all = [during(one.work), during(two.work)]
    await eventually(async () => asked.length === 1)
    one.letGo()
    await all[0]
    two.letGo()
    await all[1]
    await eventually(async () => asked.length === 2)
    expect(bodies()).toEqual([ON, OFF])
  })

  it('renews its protection for as long as it works, and not afterwards', async () => {
    const { work, letGo } = blocked()
    const done = protection({ renewMs: 5 }).during(work)
    await eventually(async () => asked.length >= 4)
    letGo()
    await done
    await eventually(async () => bodies().at(-1)?.ProtectionEnabled === false)
    const last = asked.length
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(asked).toHaveLength(last)
    expect(bodies().slice(0, -1)).toEqual(Array(last - 1).fill(ON))
  })

  it('rests unprotected after work that failed, too', async () => {
    const failing = protection().during(async () => {
      await eventually(async () => asked.length === 1)
      throw new Error('broken')
    })
    await expect(failing).rejects.toThrow('broken')
    await eventually(async () => asked.length === 2)
    expect(bodies()).toEqual([ON, OFF])
  })

  it('says nothing to anybody where there is no agent', async () => {
    expect(await protection({ agentUri: undefined }).during(async () => 'done')).toBe('done')
    expect(asked).toEqual([])
  })
})

describe('an agent', () => {
  it.each([
    [
      'refuses',
      200,
      { failure: { Arn: 'arn', Detail: null, Reason: 'DEPLOYMENT_BLOCKED' } },
      'DEPLOYMENT_BLOCKED',
    ],
    [
      'may not',
      400,
      { requestID: '1', error: { Arn: 'arn', Code: 'AccessDeniedException', Message: 'No.' } },
      'AccessDeniedException',
    ],
    ['does something else', 200, { protection: { ProtectionEnabled: false } }, 'HTTP 200'],
    ['says nothing', 500, {}, 'HTTP 500'],
  ])('that %s stops no work, and is named in the log', async (_, status, body, code) => {
    answer = (res) => reply(res, status, body)
    const { work, letGo } = blocked()
    const done = protection().during(work)
    await eventually(async () => logLines.length > 0)
    letGo()
    expect(await done).toBe('done')
    expect(codes()[0]).toBe(code)
  })

  it('that is out of reach, or talks nonsense, stops no work', async () => {
    answer = (res) => res.end('<html>')
    const { work, letGo } = blocked()
    const done = protection().during(work)
    await eventually(async () => logLines.length > 0)
    letGo()
    expect(await done).toBe('done')

    const gone = protection({ agentUri: 'http://127.0.0.1:9/api/4f2c' })
    expect(await gone.during(async () => 'done too')).toBe('done too')
    await eventually(async () => codes().includes('TypeError'))
  })

  it('that refused is asked again at the next renewal', async () => {
    const refused = answer
    answer = (res) => reply(res, 400, { error: { Code: 'ThrottlingException' } })
    const { work, letGo } = blocked()
    const done = protection({ renewMs: 5 }).during(work)
    await eventually(async () => logLines.length > 0)
    answer = refused
    const before = asked.length
    await eventually(async () => asked.length > before + 1)
    expect(bodies().at(-1)).toEqual(ON)
    letGo()
    await done
  })
})
