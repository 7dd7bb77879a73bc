import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cached } from '../../../bench/seams/cached.ts'
import { blindly, type Cuts, inOnePiece, inShards, trackOf } from '../../../bench/seams/cuts.ts'
import { hearCuts } from '../../../bench/seams/hear.ts'
import { judge } from '../../../bench/seams/judge.ts'
import { makeRecording } from '../../../bench/seams/recording.ts'
import { createLog } from '../../../lib/adapters/log.ts'
import { ensureEngine } from '../../../lib/adapters/whisper/build.ts'
import { resolveModel } from '../../../lib/adapters/whisper/models.ts'
import { createEngine, type WhisperEngine } from '../../../lib/adapters/whisper/pool.ts'
import type { Engine } from '../../../lib/core/ports.ts'

// Three minutes of people who hardly draw breath, once in noise, through the real engine. Every word and its time is
// known. `node bench/seams.ts` does the same with twenty longer recordings.

const MINUTES = 3
/** Short, so that there are many cuts. */
const SHARD_MS = 45_000

let pool: WhisperEngine
let engine: Engine

beforeAll(async () => {
  const [built, model] = [await ensureEngine(), await resolveModel('mini')]
  pool = createEngine({
    ...{ ...built, modelPath: model.path, modelName: model.name, threads: 1, processes: 1 },
    log: createLog({ level: 'silent' }),
  })
  engine = cached(pool, { requests: 0, ms: 0 })
})
afterAll(() => pool?.close())

async function hear(recording: ReturnType<typeof makeRecording>, cuts: Cuts) {
  const { pcm16, words } = recording
  const heard = await hearCuts({ windows: engine, seams: engine }, pcm16, trackOf(pcm16), cuts)
  return {
    before: judge(words, heard.before, cuts, []),
    after: judge(words, heard.after, cuts, []),
    repaired: heard.repaired,
  }
}

const breathless = makeRecording(7, 'breathless', MINUTES * 60)
const noisy = makeRecording(7, 'noisy', MINUTES * 60)

describe('somebody who hardly draws breath', () => {
  it.each([
    ['without noise', breathless],
    ['in noise', noisy],
  ])(
    'is heard in shards as well as in one piece, no word lost or doubled at a cut, %s',
    async (_, recording) => {
      const track = trackOf(recording.pcm16)
      const cuts = inShards(track, SHARD_MS)
      expect(cuts.shards).toBe(4)
      const [one, shards] = [await hear(recording, inOnePiece(track)), await hear(recording, cuts)]
      const most = one.before.errors + recording.words.length * 0.002
      expect(shards.after.errors).toBeLessThanOrEqual(most)
      expect(shards.after.atShardCuts).toBe(0)
      expect(shards.after.atWindowCuts).toBe(0)
    },
    180_000,
  )

  it('is heard without a word lost or doubled even if cut inside words', async () => {
    const { before, after, repaired } = await hear(noisy, blindly(trackOf(noisy.pcm16), 7))
    expect(before.atWindowCuts).toBeGreaterThan(2)
    expect(repaired).toBeGreaterThan(2)
    expect(after.atWindowCuts).toBe(0)
    expect(after.errors).toBeLessThan(before.errors)
  }, 180_000)
})
