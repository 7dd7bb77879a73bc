import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { sessionPrefix } from '../../lib/core/keys.ts'
import type { PublishedSegment } from '../../lib/core/live/published.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { readReference, samplePath } from '../support/reference.ts'
import { until } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'
import { type Deployment, deploy, EVENTS_URL } from './deployment.ts'
import { putParameter } from './parameter.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const TOKEN = 'the-bearer'
const PARAMETERS = `/verbatim/test-${Date.now()}/`
const CHUNK_BYTES = 96_000

let aws: Deployment
let receiver: Receiver
let noParameters: string | undefined
beforeAll(async () => {
  receiver = await startReceiver()
  noParameters = await putParameter(`${PARAMETERS}webhook-secret`, SECRET)
  await putParameter(`${PARAMETERS}engine-api-token`, TOKEN)
  aws = await deploy({ engineApiUrl: `${receiver.url}/segments`, parameters: PARAMETERS })
})
afterAll(async () => {
  await aws?.dispose()
  await receiver?.stop()
})

const post = (sessionId: string, seq: number, bytes: Uint8Array) =>
  aws.call('stream', {
    headers: {
      ...{ 'x-session-id': sessionId, 'x-chunk-seq': String(seq) },
      'content-type': 'application/octet-stream',
    },
    bytes,
  })

/** Posts a recording in chunks of about three seconds, cut anywhere. */
async function speak(sessionId: string): Promise<void> {
  const wav = await readFile(samplePath('meeting60'))
  for (let seq = 0; seq * CHUNK_BYTES < wav.length; seq++) {
    const reply = await post(sessionId, seq, wav.subarray(seq * CHUNK_BYTES, (seq + 1) * CHUNK_BYTES))
    expect(reply).toEqual({ status: 200, body: { sessionId, seq } })
  }
}

const sessionOf = async (sessionId: string) => (await aws.call('session', { sessionId })).body

/** The events of a stream: name, id, data. */
const eventsIn = (body: string) =>
  body
    .split('\n\n')
    .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2))))
    .filter((it) => it.event !== undefined) as Array<{ event: string; id: string; data: string }>

const textOf = (segments: ReadonlyArray<{ text: string }>) => segments.map(({ text }) => text).join(' ')

describe('a session', () => {
  it('becomes captions by the container Lambda, goes to its endpoint, and is heard again by the batch lane', async () => {
    const [live, batch] = [await aws.startLiveWorker(), await aws.startWorker()]
    const sessionId = 'standup'
    try {
      await speak(sessionId)
      const name = { session_id: sessionId, speaker_name: 'Zoë' }
      expect((await aws.call('speaker', { body: JSON.stringify(name) })).status).toBe(200)
      await until(async () => ((await sessionOf(sessionId)).segments >= 5 ? true : undefined), 90_000)

      const first = await aws.follow(sessionId, 7000)
      expect(first).toMatchObject({
        ...{ statusCode: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' } },
      })
      const before = eventsIn(first.body!).filter(({ event }) => event === 'segment')
      expect(before.length).toBeGreaterThanOrEqual(5)

      expect((await aws.call('closeSession', { sessionId })).body).toMatchObject({
        ...{ sessionId, speakers: ['Zoë'] },
        eventsUrl: `${EVENTS_URL}api/transcriptions/${sessionId}/events`,
      })
      const closed = await until(async () => {
        const session = await sessionOf(sessionId)
        return session.state === 'CLOSED' ? session : undefined
      }, 150_000)
      expect(closed).toMatchObject({ revision: 2, chunks: { missing: 0, broken: 0 }, behind: false })
      expect(closed).not.toHaveProperty('lastError')

      const { body } = await aws.call('transcription', { sessionId })
      const { rate } = wordErrors(readReference('meeting60').text, textOf(body.segments))
      expect(rate).toBeLessThanOrEqual(0.1)
      const job = (await aws.call('status', { jobId: closed.jobId })).body
      expect(job).toMatchObject({ status: 'COMPLETED' })

      // Who comes again is sent what has changed since, up to the end, and after that nothing.
      const again = await aws.follow(sessionId, 60_000, { 'last-event-id': before.at(-1)!.id })
      const events = eventsIn(again.body!)
      expect(events.at(-1)).toMatchObject({ event: 'session', data: '{"state":"CLOSED","revision":2}' })
      const over = await aws.follow(sessionId, 60_000, { 'last-event-id': events.at(-1)!.id })
      expect(over).toMatchObject({ statusCode: 204, body: '' })

      await expectWebhooks(sessionId, closed.segments)
    } finally {
      await live.stop()
      await batch.stop()
    }

    expect((await aws.call('eraseSession', { sessionId })).status).toBe(204)
    const left = await aws.bucket.objects.list('')
    expect(left.filter((key) => key.startsWith(sessionPrefix({ tenant: 'acme', sessionId })))).toEqual([])
    expect((await aws.call('session', { sessionId })).status).toBe(404)
  }, 400_000)

  /** Every final was posted once, in order, with the secrets of the Parameter Store. */
  async function expectWebhooks(sessionId: string, segments: number): Promise<void> {
    const posted = () => receiver.requests.filter(({ path }) => path === `/segments/${sessionId}`)
    await until(async () => (posted().length >= segments ? true : undefined), 60_000)
    const finals = posted().map(({ body }) => (JSON.parse(body) as PublishedSegment[])[0]!)
    expect(finals.map((it) => it.segment_id)).toEqual(finals.map((_, index) => index))
    if (noParameters) return
    for (const { headers, body } of posted()) {
      expect(headers.authorization).toBe(`Bearer ${TOKEN}`)
      expect(() => new Webhook(SECRET).verify(body, headers)).not.toThrow()
    }
  }

  it('is closed by the schedule when its client has gone, and heard by the program of the ECS service', async () => {
    const poller = aws.startPoller({ TAKES: 'both' })
    const sessionId = 'left-alone'
    try {
      const wav = await readFile(samplePath('short'))
      expect((await post(sessionId, 0, wav)).status).toBe(200)
      // Nobody closes it but the schedule.
      await until(async () => ((await aws.tick()) === 1 ? true : undefined))
      const closed = await until(async () => {
        const session = await sessionOf(sessionId)
        return session.state === 'CLOSED' ? session : undefined
      }, 150_000)
      expect(closed).toMatchObject({ revision: 2, chunks: { received: 1, missing: 0 } })
      const { body } = await aws.call('transcription', { sessionId })
      expect(wordErrors(readReference('short').text, textOf(body.segments)).rate).toBeLessThanOrEqual(0.2)
    } finally {
      expect(await poller.stop()).toBe(0)
    }
  }, 240_000)

  it('is nobody’s but its owner’s: the stream asks for a token, and knows one path', async () => {
    const refused = await aws.follow('standup', 60_000, { authorization: 'Bearer nobody' })
    expect(refused.statusCode).toBe(401)
    const unknown = await aws.follow('nothing', 60_000)
    expect(unknown.statusCode).toBe(404)
    expect(JSON.parse(unknown.body!)).toMatchObject({ error: { code: 'unknown-session' } })
  })
})
