import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { closed, meetingStream, nameSpeaker, postChunk, transcription } from '../support/live-client.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { samplePath } from '../support/reference.ts'
import {
  call,
  cleanUp,
  ended,
  type RunningService,
  startService,
  tempFolder,
  until,
  uploadBytes,
} from '../support/service.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const meeting = meetingStream(9_000)
let receiver: Receiver
let service: RunningService

beforeAll(async () => {
  receiver = await startReceiver()
  const env = {
    ...{
      ENGINE_API_URL: `${receiver.url}/hooks`,
      ENGINE_API_TOKEN: 'operators',
      VERBATIM_WEBHOOK_SECRET: SECRET,
    },
    VERBATIM_WEBHOOK_ALLOW: `127.0.0.1:${receiver.port}`,
  }
  service = await startService({ data: await tempFolder(), env })
})
afterAll(async () => {
  await cleanUp()
  await receiver.stop()
})

const requestsTo = (path: string) => receiver.requests.filter((request) => request.path === path)

describe('finals', () => {
  it('are posted to the operator’s endpoint, each once, in order, signed', async () => {
    await nameSpeaker(service, 'standup', 'Ann')
    for (const chunk of meeting.chunks) await postChunk(service, 'standup', chunk)
    await call(service, 'POST', '/api/sessions/standup/close')
    await closed(service, 'standup')
    const { segments } = (await transcription(service, 'standup')).body
    const all = await until(async () => {
      const requests = requestsTo('/hooks/standup')
      return requests.length >= segments.length ? requests : undefined
    })
    expect(segments.length).toBeGreaterThan(0)
    expect(all.map(({ body }) => JSON.parse(body)[0].segment_id)).toEqual(
      segments.map(({ id }: { id: number }) => id),
    )
    for (const { body, headers } of all) {
      expect(headers.authorization).toBe('Bearer operators')
      expect(() => new Webhook(SECRET).verify(body, { ...headers })).not.toThrow()
    }
  })
})

describe('a job', () => {
  it('tells the URL that its client has named when it has ended, and not the operator’s token', async () => {
    const webhookUrl = `${receiver.url}/mine?key=1`
    const jobId = await uploadBytes(service, await readFile(samplePath('short')), { webhookUrl })
    await ended(service, jobId)
    const [told] = await until(async () => {
      const requests = requestsTo('/mine?key=1')
      return requests.length > 0 ? requests : undefined
    })
    expect(JSON.parse(told!.body)).toMatchObject({
      type: 'job.completed',
      data: { jobId, status: 'COMPLETED' },
    })
    expect(told!.headers).not.toHaveProperty('authorization')
  })

  it('that fails tells it too', async () => {
    const webhookUrl = `${receiver.url}/failed`
    const jobId = await uploadBytes(service, Buffer.from('no sound at all'), { webhookUrl })
    await ended(service, jobId)
    const [told] = await until(async () => {
      const requests = requestsTo('/failed')
      return requests.length > 0 ? requests : undefined
    })
    expect(JSON.parse(told!.body)).toMatchObject({ type: 'job.failed', data: { jobId, status: 'FAILED' } })
  })

  it.each(['http://example.com/', 'https://10.0.0.1/', 'https://localhost/', 'file:///etc/passwd', 'x'])(
    'can’t have %s told',
    async (webhookUrl) => {
      const reply = await call(service, 'POST', '/upload', { filename: 'a.wav', sizeBytes: 1, webhookUrl })
      expect([reply.status, reply.body.error.code]).toEqual([400, 'bad-request'])
    },
  )
})
