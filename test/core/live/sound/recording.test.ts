import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { pcmKey } from '../../../../lib/core/keys.ts'
import { readSound, withPiece, writePiece } from '../../../../lib/core/live/sound/pieces.ts'
import { wholeRecording } from '../../../../lib/core/live/sound/recording.ts'
import { BEGINNING } from '../../../../lib/core/live/state.ts'
import { temporaryObjects } from '../../../adapters/local/objects.ts'
import { tone } from '../../../support/media.ts'
import { wavBytes } from '../../../support/wav.ts'

describe('the sound of a session', () => {
  let store: Awaited<ReturnType<typeof temporaryObjects>>
  beforeAll(async () => {
    store = await temporaryObjects()
  })
  afterAll(() => store.dispose())

  const sound = tone(300, 4_000)
  const part = (fromMs: number, toMs: number) => sound.slice(fromMs * 16, toMs * 16)
  /** What the pieces hold, with silence from 1,500 to 2,500. */
  const wanted = sound.map((sample, i) => (i >= 24_000 && i < 40_000 ? 0 : sample))

  async function written(sessionId: string) {
    const ref = { tenant: 't', sessionId }
    await writePiece(store.objects, ref, 0, part(0, 1_000))
    await writePiece(store.objects, ref, 1_000, part(1_000, 1_500))
    await writePiece(store.objects, ref, 2_500, part(2_500, 4_000))
    return ref
  }

  it('is joined to one WAV file, with silence where there was none', async () => {
    const ref = await written('joined')
    await wholeRecording(store.objects, ref, { endMs: 4_000, key: 'a' })
    expect(Buffer.from((await store.objects.get('a'))!)).toEqual(wavBytes(wanted))
    expect(await store.objects.head('a')).toMatchObject({ contentType: 'audio/wav' })
  })

  it('is as long as the session, whatever steps that did not count have left', async () => {
    const ref = await written('left')
    // A piece inside another, as of a step that took fewer chunks at once; and one behind the end.
    await writePiece(store.objects, ref, 3_000, part(3_000, 4_000))
    await writePiece(store.objects, ref, 3_900, new Int16Array(16_000))
    await writePiece(store.objects, ref, 9_000, new Int16Array(16_000))
    await wholeRecording(store.objects, ref, { endMs: 4_000, key: 'b' })
    expect(Buffer.from((await store.objects.get('b'))!)).toEqual(wavBytes(wanted))
    await wholeRecording(store.objects, ref, { endMs: 2_000, key: 'c' })
    expect(Buffer.from((await store.objects.get('c'))!)).toEqual(wavBytes(wanted.slice(0, 32_000)))
  })

  it('is a file without sound when there was none', async () => {
    await wholeRecording(store.objects, { tenant: 't', sessionId: 'none' }, { endMs: 0, key: 'd' })
    expect(Buffer.from((await store.objects.get('d'))!)).toEqual(wavBytes(new Int16Array(0)))
  })

  it('is read from any moment of the last minute to any other', async () => {
    const ref = await written('read')
    const pieces = [
      [0, 1_000],
      [1_000, 1_500],
      [2_500, 4_000],
    ].map(([startMs, endMs]) => ({
      ...{ startMs: startMs!, endMs: endMs! },
    }))
    for (const [from, to] of [
      [0, 4_000],
      [500, 1_200],
      [1_499, 2_501],
      [1_600, 1_700],
      [3_999, 4_001],
    ] as const) {
      const read = await readSound(store.objects, ref, { pieces }, from, to)
      expect(read.subarray(0, (4_000 - from) * 16)).toEqual(wanted.slice(from * 16, to * 16))
      expect(read).toHaveLength((to - from) * 16)
    }
  })

  it('forgets pieces that lie back more than a minute', () => {
    let ingest = BEGINNING.ingest
    for (let ms = 0; ms < 90_000; ms += 3_000) ingest = withPiece(ingest, ms, new Int16Array(48_000))
    expect(ingest.pieces).toHaveLength(20)
    expect(ingest).toMatchObject({ endMs: 90_000 })
    expect(
      pcmKey({ tenant: 't', sessionId: 's' }, 3_000) < pcmKey({ tenant: 't', sessionId: 's' }, 20_000),
    ).toBe(true)
  })
})
