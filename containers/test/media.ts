import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CHUNK_MS,
  meetingStream,
  postChunk,
  type Reach,
  transcription,
} from '../../test/support/live-client.ts'
import { encode, type MediaFormat } from '../../test/support/media.ts'
import { samplePath } from '../../test/support/reference.ts'
import { call, download, uploadFile } from '../../test/support/service.ts'
import { check, checkWords, eventually, tell } from './check.ts'

// What the image's ffmpeg must be able to hear: it has the few decoders that were built into it. This machine's ffmpeg
// makes the files.

/** What recorders, telephones and browsers make; Safari records MP4 in fragments. */
const FORMATS: readonly MediaFormat[] = [
  ...(['webm opus, streamed', 'ogg opus', 'ogg vorbis', 'm4a, in fragments'] as const),
  ...(['mp4 video', 'mp3', 'flac', 'wma'] as const),
]

export async function checkFormats(service: Reach): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'verbatim-formats-'))
  try {
    for (const format of FORMATS) {
      const path = await encode(samplePath('meeting60'), format, join(folder, 'recording'))
      const jobId = await uploadFile(service, path, { language: 'en' })
      const job = await eventually(format, async () => {
        const { body } = await call(service, 'GET', `/status/${jobId}`)
        if (body.status === 'FAILED') throw new Error(`${format}: ${JSON.stringify(body.error)}`)
        return body.status === 'COMPLETED' ? body : undefined
      })
      tell(format)
      checkWords('meeting60', await download(job, 'txt'))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A session: three chunks at the pace of a recorder, captions, the end, and the second hearing. */
export async function checkLive(service: Reach): Promise<void> {
  const sessionId = 'standup'
  const meeting = meetingStream(3 * CHUNK_MS)
  for (const [seq, chunk] of meeting.chunks.slice(0, 3).entries()) {
    await sleep(CHUNK_MS)
    const { status } = await postChunk(service, sessionId, chunk, { 'x-chunk-seq': String(seq) })
    if (status !== 200) throw new Error(`chunk ${seq} was refused: ${status}`)
  }
  await eventually('captions', async () => {
    const { segments } = (await transcription(service, sessionId)).body
    return segments.some(({ text }: { text: string }) => text.includes('morning')) ? true : undefined
  })
  tell('live: captions of a stream of WebM in three chunks')
  await call(service, 'POST', `/api/sessions/${sessionId}/close`)
  const session = await eventually('the end of the session', async () => {
    const { body } = await call(service, 'GET', `/api/sessions/${sessionId}`)
    return body.state === 'CLOSED' ? body : undefined
  })
  check(
    session.revision === 2 && session.chunks.broken === 0,
    'live: closed, and heard a second time in one piece',
  )
}
