import { describe, expect, it } from '@jest/globals'
import { nameWords, speakerTurns } from '../../../lib/core/live/7-speakers.ts'
import type { SpeakerEvent } from '../../../lib/core/session.ts'
import type { Word } from '../../../lib/core/transcript/shape.ts'
import { randomFrom } from '../../support/random.ts'
import { readReference, type SampleName } from '../../support/reference.ts'

/** Epoch ms of the session clock's 0. */
const ZERO = 1_700_000_000_000

const update = (ms: number, name: string, given = false): SpeakerEvent => ({
  ...{ name, at: ZERO + ms, arrivedAt: ZERO + ms, given },
})

/** Words of 300 ms each, from times such as `0 300 600` on. */
const words = (...starts: number[]): Word[] =>
  starts.map((startMs, i) => ({ text: `w${i}`, startMs, endMs: startMs + 300, probability: 1 }))

const named = (spoken: Word[], ...events: SpeakerEvent[]): (string | undefined)[] =>
  nameWords(spoken, speakerTurns(events, spoken, ZERO))

/** A platform that looks once a second who speaks, says so late, and loses some of it. */
function platform(
  sample: SampleName,
  o: { lagMs: number; lost: number; seed: number },
): { right: number; wrong: number } {
  const { sentences, durationMs } = readReference(sample)
  const random = randomFrom(o.seed)
  const events: SpeakerEvent[] = []
  let speaking = ''
  for (let ms = Math.floor(random() * 1000); ms < durationMs; ms += 1000) {
    speaking = sentences.find(({ startMs, endMs }) => startMs <= ms && ms < endMs)?.voice ?? speaking
    if (speaking !== '' && random() >= o.lost) events.push(update(ms + o.lagMs, speaking))
  }
  const spoken = sentences.flatMap((sentence) => sentence.words.map((word) => ({ ...word, probability: 1 })))
  const truth = sentences.flatMap((sentence) => sentence.words.map(() => sentence.voice))
  const names = named(spoken, ...events)
  return {
    right: names.filter((name, i) => name === truth[i]).length / truth.length,
    wrong: names.filter((name, i) => name !== undefined && name !== truth[i]).length / truth.length,
  }
}

describe('names from a platform', () => {
  it.each([
    ['1 s late', 1000],
    ['250 ms late', 250],
  ] as const)(
    'that come every second, %s, a tenth of them lost, name at least 95 %% of the words right',
    (_, lagMs) => {
      const runs = Array.from({ length: 20 }, (_, seed) => platform('meeting180', { lagMs, lost: 0.1, seed }))
      const mean = (shares: number[]) => shares.reduce((sum, share) => sum + share, 0) / shares.length
      expect(mean(runs.map(({ right }) => right))).toBeGreaterThanOrEqual(0.95)
      expect(mean(runs.map(({ wrong }) => wrong))).toBeLessThanOrEqual(0.03)
    },
  )

  it('hold until another name comes', () => {
    expect(named(words(0, 9000, 60_000), update(500, 'Ann'))).toEqual(['Ann', 'Ann', 'Ann'])
  })

  it('before the first of them nobody is named', () => {
    expect(named(words(0, 400, 20_000), update(15_000, 'Ann'))).toEqual([undefined, undefined, 'Ann'])
  })

  it('that change are put at the pause in the second before', () => {
    const spoken = words(0, 350, 700, 1050, 2200, 2550, 2900)
    const names = named(spoken, update(1000, 'Ann'), update(2000, 'Ann'), update(3000, 'Bob'))
    expect(names).toEqual(['Ann', 'Ann', 'Ann', 'Ann', 'Bob', 'Bob', 'Bob'])
  })

  it('that were given with their time are taken by it', () => {
    const spoken = words(0, 300, 600, 900, 1200)
    expect(named(spoken, update(0, 'Ann', true), update(600, 'Bob', true))).toEqual([
      ...['Ann', 'Ann', 'Bob', 'Bob', 'Bob'],
    ])
  })

  it('of a cough for less than a second are not believed', () => {
    const spoken = words(...Array.from({ length: 20 }, (_, i) => i * 300))
    const names = named(spoken, update(1000, 'Ann'), update(3000, 'Bob'), update(3600, 'Ann'))
    expect(new Set(names)).toEqual(new Set(['Ann']))
  })

  it('in turns faster than people take them name nobody, and afterwards the one who goes on', () => {
    const spoken = words(...Array.from({ length: 40 }, (_, i) => i * 300))
    const fast = [4000, 4400, 4800, 5200, 5600].map((ms, i) => update(ms, i % 2 === 0 ? 'Bob' : 'Ann'))
    const names = named(
      spoken,
      update(500, 'Ann'),
      update(3600, 'Ann'),
      ...fast,
      update(6500, 'Bob'),
      update(9000, 'Bob'),
    )
    expect(names.slice(0, 9)).toEqual(Array(9).fill('Ann'))
    expect(names.slice(14, 16)).toEqual([undefined, undefined])
    expect(names.at(-1)).toBe('Bob')
  })

  it('that are empty mean that nobody is known to speak', () => {
    const spoken = words(0, 1500, 10_000, 20_000)
    expect(named(spoken, update(500, 'Ann'), update(8000, ''), update(18_000, 'Bob'))).toEqual([
      ...['Ann', 'Ann', undefined, 'Bob'],
    ])
  })

  it('in any order give the same', () => {
    const spoken = words(0, 2000, 4000, 6000)
    const events = [update(500, 'Ann'), update(3500, 'Bob'), update(5500, 'Ann')]
    expect(named(spoken, ...[...events].reverse())).toEqual(named(spoken, ...events))
  })
})

describe('a word', () => {
  it('alone between two of another speaker is theirs, unless pauses set it apart', () => {
    const turns = [
      { fromMs: 0, name: 'Ann' },
      { fromMs: 350, name: 'Bob' },
      { fromMs: 650, name: 'Ann' },
    ]
    expect(nameWords(words(0, 350, 700), turns)).toEqual(['Ann', 'Ann', 'Ann'])
    const apart = [
      { fromMs: 0, name: 'Ann' },
      { fromMs: 800, name: 'Bob' },
      { fromMs: 1500, name: 'Ann' },
    ]
    expect(nameWords(words(0, 900, 1800), apart)).toEqual(['Ann', 'Bob', 'Ann'])
  })

  it('of which little is covered stays without a name', () => {
    expect(nameWords(words(0), [{ fromMs: 250, name: 'Ann' }])).toEqual([undefined])
  })
})
