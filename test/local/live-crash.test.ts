import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { closed, meetingStream, postChunk, transcription } from '../support/live-client.ts'
import { call, cleanUp, type RunningService, startService, tempFolder, until } from '../support/service.ts'
import { foldedWords, wordErrors } from '../support/wer.ts'

// kill -9 while people speak: what was accepted becomes words, once, and finals stay what they are.

const meeting = meetingStream(18_000)
let folder: string

beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(cleanUp)

interface Final {
  id: number
  text: string
  revision: number
}

async function finalsOf(service: RunningService): Promise<Final[]> {
  const { body } = await transcription(service, 'meeting')
  return body.segments.filter(({ final }: { final: boolean }) => final)
}

const post = (service: RunningService, seqs: number[]) =>
  Promise.all(
    seqs.map((seq) => postChunk(service, 'meeting', meeting.chunks[seq]!, { 'x-chunk-seq': String(seq) })),
  )

describe('after a kill -9 of the service in the middle of a session', () => {
  it('finals go on where they were, and none is lost or doubled', async () => {
    const data = join(folder, 'middle')
    let service = await startService({ data })
    await post(service, [0])
    await post(service, [1, 2])
    const before = await until(async () => {
      const finals = await finalsOf(service)
      return finals.length >= 2 ? finals : undefined
    })
    // These are accepted, and not heard yet.
    const accepted = await post(service, [3])
    expect(accepted.map(({ status }) => status)).toEqual([200])
    await service.end('SIGKILL')

    service = await startService({ data })
    await post(service, [4])
    await service.end('SIGKILL')

    service = await startService({ data })
    await post(service, [5, 3])
    await until(async () => ((await lastWordAt(service)) > meeting.durationMs - 3_000 ? true : undefined))
    const after = await finalsOf(service)
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after.map(({ id }) => id)).toEqual(after.map((_, i) => i))

    await call(service, 'POST', '/api/sessions/meeting/close')
    await service.end('SIGKILL')

    service = await startService({ data })
    const session = await closed(service, 'meeting')
    const received = meeting.chunks.length
    expect(session).toMatchObject({ revision: 2, chunks: { received, missing: 0, broken: 0 } })
    const text = (await finalsOf(service)).map((it) => it.text).join(' ')
    expect(wordErrors(meeting.text, text).rate).toBeLessThanOrEqual(0.2)
    // One recording of the whole, not one per start.
    expect((await call(service, 'GET', '/jobs')).body.jobs).toHaveLength(1)
    expect(foldedWords(text).length).toBeLessThanOrEqual(foldedWords(meeting.text).length + 8)
    await service.end()
  })

  async function lastWordAt(service: RunningService): Promise<number> {
    return (await transcription(service, 'meeting')).body.segments.at(-1)?.endMs ?? 0
  }
})

describe('Ctrl-C', () => {
  it('ends at once for who follows a session, and the next start goes on with it', async () => {
    const data = join(folder, 'ctrl-c')
    let service = await startService({ data, args: ['--drain-seconds', '0'] })
    await post(service, [0, 1, 2])
    const response = await fetch(`${service.url}/api/transcriptions/meeting/events`, {
      headers: { authorization: `Bearer ${service.token}` },
    })
    const stream = response.text()
    expect(await service.end('SIGINT')).toBe(0)
    expect(await stream).toContain('event: session')

    service = await startService({ data })
    await until(async () => ((await finalsOf(service)).length >= 2 ? true : undefined))
    expect(service.log()).not.toContain('"level":"error"')
    await service.end()
  })
})
