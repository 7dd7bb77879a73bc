import { describe, expect, it } from '@jest/globals'
import { orderChunks } from '../../../lib/core/live/2-order.ts'
import { BEGINNING } from '../../../lib/core/live/state.ts'

const NOW = 1_000_000
const OPEN = { closing: false, missingMs: 6_000 }
const CLOSING = { ...OPEN, closing: true }

const chunk = (seq: number, arrivedAt = NOW) => ({
  ...{ seq, post: 'p', sizeBytes: 1, contentType: 'application/octet-stream', arrivedAt },
})
/** A session that has taken everything before `nextSeq`. */
const after = (nextSeq: number) => ({ ...BEGINNING.ingest, nextSeq, received: nextSeq })

/** Numbers of chunks taken; those given up are negative. */
function order(nextSeq: number, chunks: ReturnType<typeof chunk>[], now = NOW, options = OPEN) {
  const { take, ...rest } = orderChunks(after(nextSeq), chunks, now, options)
  return { take: take.map((taken) => ('chunk' in taken ? taken.chunk.seq : -taken.lost)), ...rest }
}

describe('orderChunks', () => {
  it('takes chunks in order of their numbers, whatever order they came in', () => {
    expect(order(5, [chunk(7), chunk(5), chunk(6)])).toEqual({ take: [5, 6, 7] })
  })

  it('takes nothing when nothing is there', () => {
    expect(order(5, [])).toEqual({ take: [] })
  })

  it('waits for a missing chunk since a later one came', () => {
    const chunks = [chunk(5), chunk(8, NOW - 1_000), chunk(7, NOW - 2_500)]
    expect(order(5, chunks)).toEqual({ take: [5], waitingSince: NOW - 2_500, wakeAt: NOW + 3_500 })
  })

  it('gives a missing chunk up when its time is over', () => {
    const chunks = [chunk(7, NOW - 6_000), chunk(8)]
    expect(order(5, chunks)).toEqual({ take: [-5, -6, 7, 8] })
    expect(order(5, chunks, NOW - 1)).toMatchObject({ take: [], wakeAt: NOW })
  })

  it('waits for each hole on its own', () => {
    const chunks = [chunk(6, NOW - 7_000), chunk(8, NOW - 1_000)]
    expect(order(5, chunks)).toEqual({ take: [-5, 6], waitingSince: NOW - 1_000, wakeAt: NOW + 5_000 })
  })

  it('waits for nothing when the session is closing', () => {
    expect(order(5, [chunk(7), chunk(9)], NOW, CLOSING)).toEqual({ take: [-5, -6, 7, -8, 9] })
  })

  it('ignores a chunk that was given up or taken before, and a second one of the same number', () => {
    expect(order(5, [chunk(3), chunk(4), chunk(5), chunk(5), chunk(6)])).toEqual({ take: [5, 6] })
  })

  it('does not wait longer because a server’s clock is ahead', () => {
    expect(order(5, [chunk(6, NOW + 60_000)])).toMatchObject({ waitingSince: NOW, wakeAt: NOW + 6_000 })
  })

  it('counts a jump of the numbers as one lost chunk', () => {
    expect(order(5, [chunk(1_000_000_000)], NOW, CLOSING)).toEqual({ take: [-999_999_999, 1_000_000_000] })
    expect(order(5, [chunk(105)], NOW, CLOSING).take).toHaveLength(101)
  })

  it('waits a second for a chunk 0 when the first that comes is 1, then begins with 1', () => {
    expect(order(0, [chunk(1)])).toEqual({ take: [], waitingSince: NOW, wakeAt: NOW + 1_000 })
    expect(order(0, [chunk(1, NOW - 1_000), chunk(2)])).toEqual({ take: [1, 2] })
    expect(order(0, [chunk(1), chunk(0)])).toEqual({ take: [0, 1] })
    expect(order(0, [chunk(1)], NOW, CLOSING)).toEqual({ take: [1] })
  })

  it('waits the whole time for what is missing in front of a later first chunk', () => {
    expect(order(0, [chunk(3)])).toEqual({ take: [], waitingSince: NOW, wakeAt: NOW + 6_000 })
    expect(order(0, [chunk(3, NOW - 6_000)])).toEqual({ take: [-1, -2, 3] })
  })
})
