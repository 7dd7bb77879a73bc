import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { closed, meetingStream, postChunk, transcription } from '../support/live-client.ts'
import { redisServer, startRedis, type TestRedis } from '../support/redis.ts'
import { call, cleanUp, type RunningService, startService, tempFolder, until } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'

// What the service leans on dies while people speak: the engine, and Redis.

const meeting = meetingStream(18_000)
let service: RunningService
afterEach(() => service?.end('SIGKILL'))
afterAll(cleanUp)

interface Final {
  id: number
  text: string
}

const finals = async (): Promise<Final[]> =>
  (await transcription(service, 'meeting')).body.segments.filter(({ final }: { final: boolean }) => final)

const post = (seq: number) =>
  postChunk(service, 'meeting', meeting.chunks[seq]!, { 'x-chunk-seq': String(seq) })

/** Posts these and waits until words of the last of them are there. */
async function postAndHear(...seqs: number[]): Promise<void> {
  for (const seq of seqs) expect((await post(seq)).status).toBe(200)
  const heardMs = seqs.at(-1)! * 3_000
  await until(
    async () => (await transcription(service, 'meeting')).body.segments.at(-1)?.endMs > heardMs || undefined,
  )
}

describe('when the engine is killed in the middle of a session', () => {
  it('another takes its place, and no word is lost', async () => {
    service = await startService({ data: await tempFolder() })
    await postAndHear(0, 1)
    const [, pid] = (await until(
      async () => /"event":"engine started".*?"pid":(\d+)/.exec(service.log()) ?? undefined,
    ))!
    process.kill(Number(pid), 'SIGKILL')
    await postAndHear(2, 3, 4, 5)
    expect(service.log().match(/"event":"engine started"/g)!.length).toBeGreaterThan(1)
    await call(service, 'POST', '/api/sessions/meeting/close')
    expect(await closed(service, 'meeting')).toMatchObject({ revision: 2, chunks: { missing: 0, broken: 0 } })
    const text = (await finals()).map((it) => it.text).join(' ')
    expect(wordErrors(meeting.text, text).rate).toBeLessThanOrEqual(0.1)
  })
})

const describeRedis = redisServer ? describe : describe.skip
if (!redisServer)
  process.stdout.write('Not run: Redis in a session; there is no server (apt-get install redis-server)\n')

describeRedis('when Redis is killed in the middle of a session and comes back empty', () => {
  let redis: TestRedis
  afterAll(() => redis?.dispose())

  it('it has every final once, in order, and goes on', async () => {
    redis = await startRedis()
    service = await startService({ data: await tempFolder(), env: { REDIS_URL: redis.url } })
    const listed = async (): Promise<Array<{ segment_id: number; content: string }>> =>
      (await redis.ask((client) => client.lRange('segments_transcribe:meeting', 0, -1))).map((it) =>
        JSON.parse(it),
      )
    await postAndHear(0, 1)
    await until(async () => (await listed()).length > 0 || undefined)
    await redis.kill()
    await postAndHear(2, 3)
    await redis.start()
    await postAndHear(4, 5)
    const live = await until(async () => {
      const all = await finals()
      return (await listed()).length === all.length ? all : undefined
    })
    expect((await listed()).map(({ segment_id, content }) => [segment_id, content])).toEqual(
      live.map(({ id, text }) => [id, text]),
    )
    expect(await redis.ask((client) => client.ttl('segments_transcribe:meeting'))).toBeGreaterThan(3600)
  })
})
