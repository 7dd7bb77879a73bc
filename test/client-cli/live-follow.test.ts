import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createClient } from '../../client-cli/client.ts'
import { readEvents } from '../../client-cli/live/event-stream.ts'
import type { LiveUpdate } from '../../client-cli/live/follow.ts'
import { createScreen, wrapped } from '../../client-cli/live/screen.ts'
import { createOut } from '../../client-cli/out.ts'

async function* bytesOf(text: string, size: number) {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('readEvents', () => {
  const text =
    'retry: 1000\n\n: hello\n\nid: 0.1\nevent: segment\ndata: {"text":"Grüße"}\n\nid: 0.2\r\ndata:a\r\ndata: b\r\n\r\ndata: cut off'

  it.each([1, 2, 3, 1000])('reads events that come %i bytes at a time', async (size) => {
    const events = []
    for await (const event of readEvents(bytesOf(text, size))) events.push(event)
    expect(events).toEqual([
      { id: '0.1', event: 'segment', data: '{"text":"Grüße"}' },
      { id: '0.2', event: 'message', data: 'a\nb' },
    ])
  })
})

const segment = (id: number, more: object = {}) => ({
  ...{
    id,
    startMs: id * 1000,
    endMs: id * 1000 + 900,
    text: `caption ${id}`,
    words: [],
    final: true,
    revision: 1,
  },
  ...more,
})
const event = (name: string, id: string, data: unknown) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`

let server: http.Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void

const SESSION = {
  ...{
    sessionId: 's',
    state: 'OPEN',
    createdAt: '2026-11-20T15:54:00.000Z',
    updatedAt: '2026-11-20T15:54:00.000Z',
  },
  ...{ durationMs: 0, lagMs: 0, behind: false, chunks: { received: 1, missing: 0, broken: 0 } },
  ...{ speakers: [], segments: 0, revision: 1 },
}

/**
 * Follows a session at a server that answers its first requests for captions so, the last answer again and again.
 * `events`: where the session says that its events are.
 */
async function followAt(events: string | undefined, ...answers: Answer[]): Promise<LiveUpdate[]> {
  let n = 0
  server = http.createServer((request, response) => {
    if (request.url !== '/api/sessions/s')
      return answers[Math.min(n++, answers.length - 1)]!(request, response)
    const eventsUrl = events && `http://${request.headers.host}${events}`
    response.end(JSON.stringify({ ...SESSION, ...(eventsUrl && { eventsUrl }) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createClient({ url, pace: { pauseMs: 5, maxPauseMs: 10, maxPollMs: 10, firstMs: 2000 } })
  const updates: LiveUpdate[] = []
  for await (const update of client.live.follow('s', { signal: new AbortController().signal })) {
    updates.push(update)
  }
  return updates
}

const follow = (...answers: Answer[]) => followAt(undefined, ...answers)

const closed = event('session', '0.1', { state: 'CLOSED', revision: 2 })

describe('follow', () => {
  it('goes on after the last event that came when the connection breaks in the middle of one', async () => {
    const asked: unknown[] = []
    const first: Answer = (request, response) => {
      asked.push(request.headers['last-event-id'])
      response.write(event('segment', '0.0', segment(0)))
      response.write('id: 0.1\nevent: segment\nda')
      setTimeout(() => response.destroy(), 20)
    }
    const second: Answer = (request, response) => {
      asked.push(request.headers['last-event-id'])
      response.end(event('segment', '0.1', segment(1)) + event('drafts', '0.1', []) + closed)
    }
    expect(await follow(first, second)).toEqual([
      { what: 'final', segment: segment(0) },
      { what: 'final', segment: segment(1) },
      { what: 'drafts', segments: [] },
      { what: 'session', state: 'CLOSED', revision: 2 },
    ])
    expect(asked).toEqual([undefined, '0.0'])
  })

  it('comes again while the service is away, and when it ends the stream', async () => {
    const away: Answer = (_, response) => response.writeHead(503).end()
    const ends: Answer = (_, response) => response.end(event('segment', '0.0', segment(0)))
    const updates = await follow(away, away, ends, (_, response) => response.end(closed))
    expect(updates.map(({ what }) => what)).toEqual(['final', 'session'])
  })

  it('follows where the session says that its events are', async () => {
    const asked: unknown[] = []
    await followAt('/elsewhere/events', (request, response) => {
      asked.push(request.url)
      response.end(closed)
    })
    expect(asked).toEqual(['/elsewhere/events'])
  })

  it('ends when all of a closed session has been sent', async () => {
    expect(await follow((_, response) => response.writeHead(204).end())).toEqual([])
  })

  it('fails for a session that is not known, and does not ask again', async () => {
    let asked = 0
    const text = JSON.stringify({
      error: { code: 'unknown-session', message: 'No.', hint: 'x', requestId: 'r' },
    })
    const unknown: Answer = (_, response) => {
      asked++
      response.writeHead(404).end(text)
    }
    await expect(follow(unknown)).rejects.toMatchObject({ code: 'unknown-session' })
    expect(asked).toBe(1)
  })

  it('steps over events of a kind that it does not know', async () => {
    const updates = await follow((_, response) => response.end(event('mood', '0.0', { good: true }) + closed))
    expect(updates).toHaveLength(1)
  })

  it('polls where there is no stream, and tells revised finals in the end', async () => {
    const replies = [
      { state: 'OPEN', revision: 1, change: 1, segments: [segment(0), segment(1, { final: false })] },
      { state: 'OPEN', revision: 1, change: 2, segments: [segment(1)] },
      { state: 'CLOSED', revision: 2, change: 3, segments: [] },
      { state: 'CLOSED', revision: 2, change: 3, segments: [segment(0, { revision: 2 }), segment(1)] },
    ]
    let n = 0
    const poll: Answer = (request, response) => {
      if (request.url?.endsWith('/events')) response.writeHead(404).end('{"message":"Not Found"}')
      else response.end(JSON.stringify({ sessionId: 's', ...replies[n++] }))
    }
    const updates = await follow(poll)
    expect(updates.filter(({ what }) => what === 'final')).toEqual([
      { what: 'final', segment: segment(0) },
      { what: 'final', segment: segment(1) },
      { what: 'final', segment: segment(0, { revision: 2 }) },
    ])
    expect(updates.at(-1)).toEqual({ what: 'session', state: 'CLOSED', revision: 2 })
  })
})

describe('the screen', () => {
  function screenOn({
    tty,
    json = false,
    drafts = false,
  }: {
    tty: boolean
    json?: boolean
    drafts?: boolean
  }) {
    const text = { stdout: '', stderr: '' }
    const stream = (name: keyof typeof text) => ({
      ...{ isTTY: tty, columns: 80 },
      write: (piece: string | Uint8Array) => (text[name] += piece),
    })
    const o = { stdout: stream('stdout'), stderr: stream('stderr'), quiet: false, json, color: true }
    return { text, screen: createScreen(createOut(o), { drafts }) }
  }
  const draft = segment(1, { final: false, text: 'not yet', speaker: 'Bob' })

  it('on a terminal shows drafts in grey until they are final', () => {
    const { text, screen } = screenOn({ tty: true })
    screen.show({ what: 'final', segment: segment(0, { speaker: 'Ada' }) })
    screen.show({ what: 'drafts', segments: [draft] })
    expect(text.stderr).toContain('\x1b[2mBob: not yet\x1b[22m')
    expect(text.stdout).toBe('\x1b[2m0:00\x1b[22m  \x1b[1mAda\x1b[22m: caption 0\n')
    text.stderr = ''
    screen.show({ what: 'final', segment: segment(1, { speaker: 'Bob', text: 'now it is' }) })
    expect(text.stdout).toContain('now it is')
    expect(text.stderr).not.toContain('not yet\x1b[22m\n\x1b[?7h\x1b[1A')
    screen.end()
    expect(text.stderr.endsWith('\x1b[J')).toBe(true)
  })

  it('elsewhere prints each final once, whatever comes of it later, and nothing that steers a terminal', () => {
    const { text, screen } = screenOn({ tty: false })
    screen.show({ what: 'drafts', segments: [draft] })
    screen.show({ what: 'final', segment: segment(0, { text: 'a\x1b[31mb' }) })
    screen.show({ what: 'final', segment: segment(0, { revision: 2, text: 'better' }) })
    screen.show({ what: 'final', segment: segment(1, { text: '' }) })
    expect(text).toEqual({ stdout: 'a�[31mb\n', stderr: '' })
  })

  it('as JSON prints finals with their revisions, and drafts only where they are asked for', () => {
    for (const drafts of [false, true]) {
      const { text, screen } = screenOn({ tty: false, json: true, drafts })
      screen.show({ what: 'drafts', segments: [draft] })
      screen.show({ what: 'final', segment: segment(0) })
      screen.show({ what: 'final', segment: segment(0, { revision: 2 }) })
      const lines = text.stdout.trim().split('\n')
      expect(lines.map((line) => JSON.parse(line).revision)).toEqual(drafts ? [1, 1, 2] : [1, 2])
    }
  })

  it('breaks lines between words', () => {
    expect(wrapped('one two  three', 7)).toEqual(['one two', 'three'])
    expect(wrapped('', 7)).toEqual([])
    expect(wrapped('incomprehensible words', 7)).toEqual(['incomprehensible', 'words'])
  })
})
