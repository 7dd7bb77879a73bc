import { describe, expect, it } from '@jest/globals'
import { countEngines, type EngineQuestion, engineBytes, tellEngines } from '../../local/engines.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** ggml-large-v3.bin. */
const LARGE = 3095 * MIB
const MINI = 7 * MIB

const ask = (question: Partial<EngineQuestion>) =>
  countEngines({ engines: 'auto', modelBytes: MINI, cores: 2, availableBytes: 64 * GIB, ...question })

describe('as many engines as a machine can bear', () => {
  it.each<[string, Partial<EngineQuestion>, ReturnType<typeof ask>]>([
    ['one core', { cores: 1 }, { engines: 1, threads: 1 }],
    ['two', { cores: 2 }, { engines: 1, threads: 2 }],
    ['four', { cores: 4 }, { engines: 1, threads: 4 }],
    ['six, none of them idle', { cores: 6 }, { engines: 1, threads: 6 }],
    ['eight', { cores: 8 }, { engines: 2, threads: 4 }],
    ['sixteen', { cores: 16 }, { engines: 4, threads: 4 }],
    ['a thread each', { cores: 8, threads: 1 }, { engines: 8, threads: 1 }],
    ['more threads than cores', { cores: 2, threads: 16 }, { engines: 1, threads: 16 }],
    [
      'memory for two of four, which share all cores',
      { cores: 16, modelBytes: LARGE, availableBytes: 14 * GIB },
      { engines: 2, threads: 8, coresFor: 4 },
    ],
    [
      'memory for two of four, with the threads that were asked for',
      { cores: 16, threads: 4, modelBytes: LARGE, availableBytes: 14 * GIB },
      { engines: 2, threads: 4, coresFor: 4 },
    ],
    [
      'memory for none: one is tried all the same',
      { cores: 8, modelBytes: LARGE, availableBytes: 2 * GIB },
      { engines: 1, threads: 8, coresFor: 2, tight: true },
    ],
    [
      'memory for none, and no cores for more than one',
      { cores: 2, modelBytes: LARGE, availableBytes: 2 * GIB },
      { engines: 1, threads: 2, tight: true },
    ],
  ])('%s', (_, question, count) => {
    expect(ask(question)).toEqual(count)
  })

  it.each<[Partial<EngineQuestion>, ReturnType<typeof ask>]>([
    [
      { engines: 3, cores: 8 },
      { engines: 3, threads: 2 },
    ],
    [
      { engines: 999, cores: 8 },
      { engines: 999, threads: 1 },
    ],
    [
      { engines: 2, threads: 5 },
      { engines: 2, threads: 5 },
    ],
    [
      { engines: 2, modelBytes: LARGE, availableBytes: GIB },
      { engines: 2, threads: 1 },
    ],
  ])('and no other number when one was asked for: %j', (question, count) => {
    expect(ask(question)).toEqual(count)
  })

  it('an engine is reckoned to take no less than was measured', () => {
    expect(engineBytes(MINI)).toBeGreaterThan(84 * MIB)
    expect(engineBytes(1549 * MIB)).toBeGreaterThan(1805 * MIB)
    // What whisper.cpp's README says of large-v3.
    expect(engineBytes(LARGE)).toBeGreaterThan(3.9 * GIB)
  })
})

describe('people are told', () => {
  it.each([
    [{ engines: 1, threads: 1 }, '1 engine of 1 thread'],
    [{ engines: 2, threads: 4 }, '2 engines of 4 threads'],
    [
      { engines: 2, threads: 8, coresFor: 4 },
      '2 engines of 8 threads (memory holds no more; the cores would do for 4)',
    ],
  ])('of %j', (count, text) => {
    expect(tellEngines(count)).toBe(text)
  })
})
