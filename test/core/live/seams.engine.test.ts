import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { WhisperEngine } from '../../../lib/adapters/whisper/pool.ts'
import { miniEngine } from '../../support/engine.ts'
import { createLane, cutStream, webmOf } from '../../support/live-lane.ts'
import { randomFrom } from '../../support/random.ts'
import { compose, type Part, SAFE_SENTENCES } from '../../support/speak.ts'
import { foldedWords } from '../../support/wer.ts'

// Twenty recordings of sentences that the mini model hears right in the batch lane, as streams cut anywhere, through the
// real engine: what a seam loses or doubles is all that can go wrong.

let engine: WhisperEngine

beforeAll(async () => {
  engine = await miniEngine()
})
afterAll(() => engine?.close())

function recording(random: () => number) {
  const parts: Part[] = [{ gapMs: 400 }]
  for (let i = 0; i < 4; i++) {
    const sentence = SAFE_SENTENCES[Math.floor(random() * SAFE_SENTENCES.length)]!
    parts.push({ sentence }, { gapMs: 300 + Math.floor(random() * 900) })
  }
  return compose(parts)
}

describe('the finals of a recording, heard by the real engine while it comes in', () => {
  it.each(Array.from({ length: 20 }, (_, i) => [i + 1]))(
    'are every word that was said, once, however its stream is cut (%i)',
    async (seed) => {
      const random = randomFrom(seed)
      const { pcm16, reference } = recording(random)
      const lane = await createLane({ engine })
      try {
        const chunks = cutStream(webmOf(pcm16), reference.durationMs, 3000, random)
        await lane.play(
          chunks.map(({ bytes, untilMs }, seq) => ({
            atMs: untilMs + 150,
            act: () => lane.post(bytes, seq),
          })),
        )
        await lane.finish()
        const text = lane.seen().map(({ segment }) => segment.text)
        expect(foldedWords(text.join(' '))).toEqual(foldedWords(reference.text))
      } finally {
        await lane.dispose()
      }
    },
  )
})
