import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Transcript } from '../../lib/core/transcript/shape.ts'
import { createToken } from '../../local/admin.ts'
import {
  CHUNK_MS,
  closed,
  followEvents,
  meetingStream,
  nameEachSecond,
  nameSpeaker,
  postChunk,
  type Reach,
  transcription,
} from '../support/live-client.ts'
import {
  call,
  cleanUp,
  download,
  ended,
  type RunningService,
  startService,
  tempFolder,
  until,
} from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'

// Over HTTP, with the real engine and real ffmpeg.

let service: RunningService
let stranger: Reach
const meeting = meetingStream(15_000)

beforeAll(async () => {
  service = await startService({ data: await tempFolder() })
  const { token } = await createToken({ data: service.data, tenant: 'others', name: 'test' })
  stranger = { url: service.url, token }
})
afterAll(cleanUp)

const textOf = (segments: Array<{ text: string }>) => segments.map(({ text }) => text).join(' ')
const finalsOf = (segments: Array<{ final: boolean }>) => segments.filter(({ final }) => final)

/** All chunks at once, each with its number. */
async function postAll(sessionId: string, order = meeting.chunks.map((_, seq) => seq)): Promise<void> {
  for (const seq of order) {
    const reply = await postChunk(service, sessionId, meeting.chunks[seq]!, { 'x-chunk-seq': String(seq) })
    expect([reply.status, reply.body]).toEqual([200, { sessionId, seq }])
  }
}

/** Until the words of the whole stream are final, the last ones perhaps not. */
const heard = (sessionId: string, shareOfText = 0.8) =>
  until(async () => {
    const { body } = await transcription(service, sessionId)
    return textOf(body.segments).length > meeting.text.length * shareOfText ? body : undefined
  })

describe('a meeting client', () => {
  const sessionId = 'weekly:2026-11-20'

  it('gets captions while people speak, and a better transcript with names after the end', async () => {
    const naming = new AbortController()
    const names = nameEachSecond(service, sessionId, meeting.sentences, naming.signal)
    const captionsBeforeTheEnd: string[] = []
    for (const chunk of meeting.chunks) {
      await sleep(CHUNK_MS)
      const reply = await postChunk(service, sessionId, chunk)
      expect(reply.status).toBe(200)
      captionsBeforeTheEnd.push(textOf((await transcription(service, sessionId)).body.segments))
    }
    naming.abort()
    await names
    expect(captionsBeforeTheEnd.join()).toContain('Good morning')

    expect((await call(service, 'POST', `/api/sessions/${sessionId}/close`)).body.state).toMatch(/^CLOS/)
    const session = await closed(service, sessionId)
    expect(session).toMatchObject({
      ...{ revision: 2, language: 'en', lagMs: 0, behind: false },
      chunks: { received: meeting.chunks.length, missing: 0, broken: 0 },
      speakers: expect.arrayContaining([...new Set(meeting.sentences.map(({ voice }) => voice))]),
    })
    expect(session).not.toHaveProperty('lastError')
    expect(Math.abs(session.durationMs - meeting.durationMs)).toBeLessThan(200)

    const { segments } = (await transcription(service, sessionId)).body
    expect(finalsOf(segments)).toEqual(segments)
    expect(wordErrors(meeting.text, textOf(segments)).rate).toBeLessThanOrEqual(0.2)

    const job = await ended(service, session.jobId)
    const transcript = Transcript.parse(JSON.parse(await download(job, 'json')))
    const voices = new Set(transcript.segments.map(({ speaker }) => speaker))
    for (const { voice } of meeting.sentences) expect(voices).toContain(voice)
    expect(await download(job, 'vtt')).toMatch(/^WEBVTT/)
  })

  it('that comes again with the session’s id after its end is told to take another', async () => {
    const replies = [await postChunk(service, sessionId, meeting.chunks[0]!)]
    replies.push(await nameSpeaker(service, sessionId, 'Ann'))
    expect(replies.map(({ status, body }) => [status, body.error.code])).toEqual([
      [409, 'session-closed'],
      [409, 'session-closed'],
    ])
  })

  it('may close it twice', async () => {
    const again = await call(service, 'POST', `/api/sessions/${sessionId}/close`)
    expect([again.status, again.body.state]).toEqual([200, 'CLOSED'])
  })
})

describe('chunks', () => {
  it('that come twice, empty, and out of order give the same words', async () => {
    await postAll('straight')
    const straight = await heard('straight')
    const order = [0, 2, 1, ...meeting.chunks.map((_, seq) => seq).slice(3)]
    await postAll(
      'crooked',
      order.flatMap((seq) => [seq, seq]),
    )
    const empty = await postChunk(service, 'crooked', new Uint8Array(0))
    expect([empty.status, empty.body.seq]).toEqual([200, meeting.chunks.length])
    const crooked = await heard('crooked')
    expect(textOf(crooked.segments)).toBe(textOf(straight.segments))
  })

  it.each<[string, Record<string, string>, number, string]>([
    ['without a session', { 'x-session-id': '' }, 400, 'bad-request'],
    ['of a session with an impossible name', { 'x-session-id': '../../etc' }, 400, 'bad-request'],
    ['with a number that is none', { 'x-chunk-seq': 'one' }, 400, 'bad-request'],
    ['in a language that nobody knows', { 'x-language': 'klingon' }, 400, 'unknown-language'],
    ['that are sent as text', { 'content-type': 'text/plain' }, 400, 'bad-request'],
    ['without a token', { authorization: '' }, 401, 'unauthorized'],
  ])('%s are refused', async (_, headers, status, code) => {
    const reply = await postChunk(service, 'refused', meeting.chunks[0]!, headers)
    expect([reply.status, reply.body.error.code]).toEqual([status, code])
  })

  it('may have 4 MiB and no more', async () => {
    const most = 4 * 1024 ** 2
    expect((await postChunk(service, 'large', new Uint8Array(most))).status).toBe(200)
    const reply = await postChunk(service, 'large', new Uint8Array(most + 1))
    expect([reply.status, reply.body.error.code]).toEqual([413, 'too-large'])
  })
})

describe('a session of another tenant', () => {
  it.each([
    ['GET', '/api/transcriptions/straight'],
    ['GET', '/api/transcriptions/straight/events'],
    ['GET', '/api/sessions/straight'],
    ['POST', '/api/sessions/straight/close'],
    ['DELETE', '/api/sessions/straight'],
    ['GET', '/api/sessions/nobodys'],
    ['GET', '/api/transcriptions/..%2Fstraight'],
  ])('is unknown: %s %s', async (method, path) => {
    const { status, body } = await call(stranger, method, path)
    expect([status, body.error.code]).toEqual([404, 'unknown-session'])
  })

  it('may have the same name and is another one', async () => {
    expect((await nameSpeaker(stranger, 'straight', 'Eve')).status).toBe(200)
    expect((await call(stranger, 'GET', '/api/sessions')).body.sessions).toHaveLength(1)
    expect((await call(stranger, 'GET', '/api/sessions/straight')).body.segments).toBe(0)
    expect((await call(service, 'GET', '/api/sessions/straight')).body.speakers).toEqual([])
  })
})

describe('who follows a session', () => {
  it('gets every final once and once more revised, over a broken connection too, and is told the end', async () => {
    await postAll('followed')
    const isFinal = ({ event }: { event: string }) => event === 'segment'
    const first = await followEvents(service, 'followed', { enough: isFinal })
    const rest = followEvents(service, 'followed', { lastId: first.at(-1)!.id })
    await heard('followed')
    await call(service, 'POST', '/api/sessions/followed/close')
    const events = [...first, ...(await rest)]

    const finals = events.filter(isFinal).map(({ data }) => data)
    const { segments } = (await transcription(service, 'followed')).body
    for (const revision of [1, 2]) {
      const ids = finals.filter((it) => it.revision === revision).map(({ id }) => id)
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
    }
    // The last of each id is what the transcription says.
    expect([...new Map(finals.map((it) => [it.id, it])).values()]).toEqual(segments)
    expect(events.at(-1)).toMatchObject({ event: 'session', data: { state: 'CLOSED', revision: 2 } })

    const again = await fetch(`${service.url}/api/transcriptions/followed/events`, {
      headers: { authorization: `Bearer ${service.token}`, 'last-event-id': events.at(-1)!.id },
    })
    expect(again.status).toBe(204)
  })

  it('needs a token in the header; one in the address is no token', async () => {
    const path = '/api/transcriptions/straight/events'
    expect((await fetch(`${service.url}${path}?access_token=${service.token}`)).status).toBe(401)
  })
})

describe('an erased session', () => {
  it('leaves no file and no row', async () => {
    const sessionId = 'erased'
    await nameSpeaker(service, sessionId, 'Ann')
    await postAll(sessionId)
    await heard(sessionId)
    await call(service, 'POST', `/api/sessions/${sessionId}/close`)
    const { jobId } = await closed(service, sessionId)
    const before = leftOf(sessionId, jobId)
    // The recording and four transcripts; chunks and sound went with the second hearing.
    expect(before.keys).toHaveLength(5)
    expect(before.rows).toBeGreaterThan(0)

    expect((await call(service, 'DELETE', `/api/sessions/${sessionId}`)).status).toBe(204)
    expect((await call(service, 'GET', `/status/${jobId}`)).status).toBe(404)
    await until(async () => (leftOf(sessionId, jobId).rows === 0 ? true : undefined))
    expect(leftOf(sessionId, jobId)).toEqual({ keys: [], rows: 0, files: [] })
    const files = (await readdir(join(service.data, 'objects'), { recursive: true })).join('\n')
    for (const file of before.files) expect(files).not.toContain(file)
  })

  it('in the middle of its sound is gone as well, and its name is free', async () => {
    await postAll('cut-off', [0, 1, 2])
    expect((await call(service, 'DELETE', '/api/sessions/cut-off')).status).toBe(204)
    await until(async () => {
      const { keys, rows } = leftOf('cut-off', 'none')
      return keys.length === 0 && rows === 0 ? true : undefined
    })
    await nameSpeaker(service, 'cut-off', 'Bob')
    expect((await call(service, 'GET', '/api/sessions/cut-off')).body).toMatchObject({
      ...{ state: 'OPEN', speakers: ['Bob'], segments: 0 },
    })
  })

  /** What the data folder still has of it, read beside the running service. */
  function leftOf(sessionId: string, jobId: string) {
    const db = new DatabaseSync(join(service.data, 'verbatim.db'), { readOnly: true })
    try {
      const objects = db
        .prepare('SELECT key, file FROM objects WHERE key LIKE ? OR key LIKE ?')
        .all(`live/default/${sessionId}/%`, `%${jobId}%`)
      const count = (sql: string, ...values: string[]) => Number(db.prepare(sql).get(...values)?.n)
      const ours = '(SELECT session FROM sessions)'
      const rows =
        count('SELECT count(*) n FROM sessions WHERE session_id = ?', sessionId) +
        count('SELECT count(*) n FROM jobs WHERE job_id = ?', jobId) +
        count('SELECT count(*) n FROM messages WHERE body LIKE ?', `%${sessionId}%`) +
        ['chunks', 'speakers', 'steps', 'segments']
          .map((table) => count(`SELECT count(*) n FROM ${table} WHERE session NOT IN ${ours}`))
          .reduce((sum, n) => sum + n, 0)
      return {
        keys: objects.map(({ key }) => String(key)),
        rows,
        files: objects.map(({ file }) => String(file)),
      }
    } finally {
      db.close()
    }
  }
})

describe('the log', () => {
  it('has no word, no name and no error of all this', () => {
    const log = service.log()
    expect(log).toContain('session closed')
    for (const secret of ['morning', 'en-us', 'Ann', 'Bob', 'weekly', 'straight'])
      expect(log).not.toContain(secret)
    expect(log).not.toContain('"level":"error"')
  })
})
