import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { WhisperEngine } from '../../../lib/adapters/whisper/pool.ts'
import { miniEngine } from '../../support/engine.ts'
import { compose, concat, noise, readWav, silence, slice } from '../../support/speak.ts'
import { readReference, samplePath, wordErrors } from '../../support/wer.ts'
import { melody } from '../audio/melody.ts'
import { textOf } from './hearing.ts'
import { play } from './play.ts'

describe('a session that is heard in chunks', () => {
  let engine: WhisperEngine
  beforeAll(async () => {
    engine = await miniEngine()
  })
  afterAll(() => engine.close())

  const spoken = readReference('meeting60')
  const pcm16 = readWav(samplePath('meeting60')).pcm16

  it.each([
    ['3 s', [3000]],
    ['all lengths', [400, 5000, 1234, 2900, 700, 8000, 3100, 50, 6000, 4321, 2500]],
    ['a minute', [60_000]],
  ])('gives the words of the recording, none lost and none twice: chunks of %s', async (_, chunksMs) => {
    const { finals } = await play(engine, pcm16, chunksMs)
    // The model mishears a word where another window would have been luckier.
    expect(wordErrors(spoken.text, textOf(finals)).errors).toBeLessThanOrEqual(2)
    const times = finals.flatMap(({ startMs, endMs }) => [startMs, endMs])
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('has nearly every word final within a chunk and 0.8 s of its end', async () => {
    const { finals, requests } = await play(engine, pcm16)
    const delays = finals.map(({ endMs, finalMs }) => finalMs - endMs).sort((a, b) => a - b)
    expect(delays[Math.floor(0.95 * delays.length)]).toBeLessThanOrEqual(3800)
    // One a chunk, and few that are repeated.
    expect(requests).toBeLessThanOrEqual(Math.ceil(spoken.durationMs / 3000) + 3)
  })

  it('has the first word after a pause of half a minute', async () => {
    const { pcm16, reference } = compose([{ sentence: 5 }, { gapMs: 30_000 }, { sentence: 11 }])
    expect(textOf((await play(engine, pcm16)).finals)).toBe(reference.text)
  })

  it('has no words in a minute of silence, and asks the engine nothing', async () => {
    expect(await play(engine, silence(60_000))).toEqual({ finals: [], requests: 0 })
  })

  it('has no words in half a minute of music', async () => {
    const { finals } = await play(engine, concat([silence(1000), melody(30_000), silence(3000)]))
    expect(textOf(finals)).toBe('')
  })

  it('has no words in noise before, between and after what is said', async () => {
    const sentence = slice(pcm16, spoken.sentences[5]!.startMs - 20, spoken.sentences[5]!.endMs + 20)
    const sound = concat([noise(20_000, -45, 1), sentence, noise(20_000, -45, 2)])
    expect(textOf((await play(engine, sound)).finals)).toBe(spoken.sentences[5]!.text)
  })
})
