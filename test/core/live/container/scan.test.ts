import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Format, Unit } from '../../../../lib/core/live/container/format.ts'
import { lookAt, readHeader } from '../../../../lib/core/live/container/look.ts'
import { ffmpeg, tone } from '../../../support/media.ts'
import { writeWav } from '../../../support/wav.ts'
import { noise, randomOf, STREAMS, type StreamName, typeOf } from '../streams.ts'

const LENGTH_MS = 4_000
const NAMES = Object.keys(STREAMS) as StreamName[]

describe('the scan of a stream', () => {
  const folder = mkdtempSync(join(tmpdir(), 'verbatim-scan-'))
  const streams = new Map<StreamName, Buffer>()
  beforeAll(async () => {
    writeWav(join(folder, 'in.wav'), tone(440, LENGTH_MS))
    for (const name of NAMES) {
      await ffmpeg('-i', join(folder, 'in.wav'), ...STREAMS[name], join(folder, 'out'))
      streams.set(name, readFileSync(join(folder, 'out')))
    }
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  function open(name: StreamName) {
    const bytes = streams.get(name)!
    const kind = lookAt(bytes, typeOf(name))!
    const format = readHeader(kind, bytes) as Format
    const { units, rest } = format.scan(bytes, { at: format.bodyAt, ms: 0, leastMs: 0, synced: true })
    return { bytes, kind, format, units, rest }
  }
  /** When they end: where the first one begins, only the page before tells in some formats. */
  const times = (units: readonly Unit[]) => units.map(({ ms, durationMs }) => Math.round(ms + durationMs))

  it.each(NAMES)('finds units of %s from beginning to end, one behind the other', (name) => {
    const { units, rest, bytes, format } = open(name)
    expect(units.length).toBeGreaterThan(3)
    expect(units.every(({ fresh }) => !fresh)).toBe(true)
    expect(units[0]!.at).toBeGreaterThanOrEqual(format.bodyAt)
    for (const [i, unit] of units.slice(1).entries()) {
      expect(unit.at).toBeGreaterThanOrEqual(units[i]!.end)
      expect(Math.abs(unit.ms - units[i]!.ms - units[i]!.durationMs)).toBeLessThan(45)
    }
    expect(rest).toBeLessThanOrEqual(bytes.length)
    expect(bytes.length - rest).toBeLessThan(300)
    const { ms, durationMs } = units.at(-1)!
    expect(Math.abs(ms + durationMs - LENGTH_MS)).toBeLessThan(150)
  })

  it.each(NAMES)('finds of %s the same units, however much of it is there yet', (name) => {
    const { units, bytes, format } = open(name)
    const random = randomOf(7)
    for (let tries = 0; tries < 30; tries++) {
      const end = Math.floor(format.bodyAt + (bytes.length - format.bodyAt) * random())
      const scan = format.scan(bytes.subarray(0, end), { at: format.bodyAt, ms: 0, leastMs: 0, synced: true })
      const known = units.filter((unit) => unit.end <= end).map(({ at }) => at)
      // Samples are whole anywhere; the last unit of 100 ms may be shorter.
      expect(scan.units.map(({ at }) => at).slice(0, known.length)).toEqual(known)
      expect(scan.units.length - known.length).toBeLessThanOrEqual(1)
    }
  })

  it.each(NAMES.filter((name) => !name.startsWith('pcm') && !name.startsWith('wav')))(
    'finds a place in %s after a loss, and the times there if it has any',
    (name) => {
      const { units, bytes, format } = open(name)
      const random = randomOf(11)
      for (let tries = 0; tries < 20; tries++) {
        const from = Math.floor(units[0]!.at + (units.at(-4)!.at - units[0]!.at) * random())
        const part = bytes.subarray(from)
        const base = units.findLast(({ at }) => at < from)?.base
        const scan = format.scan(part, { at: 0, ms: 0, leastMs: 0, base, synced: false })
        const wanted = units.filter(({ at }) => at >= from)
        expect(scan.units[0]!.fresh).toBe(true)
        expect(scan.units.slice(1).every(({ fresh }) => !fresh)).toBe(true)
        expect(wanted.length - scan.units.length).toBeLessThanOrEqual(1)
        if (format.timed) {
          expect(times(scan.units)).toEqual(times(wanted.slice(wanted.length - scan.units.length)))
        }
      }
    },
  )

  it.each(NAMES)('survives whatever is done to the bytes of %s', (name) => {
    const { bytes, kind } = open(name)
    const random = randomOf(name.length)
    for (let tries = 0; tries < 40; tries++) {
      const hostile = Buffer.from(bytes.subarray(0, Math.floor(bytes.length * random())))
      for (let hits = 0; hits < 1 + 60 * random(); hits++) {
        hostile[Math.floor(hostile.length * random())] = [0, 255, 127, Math.floor(256 * random())][hits % 4]!
      }
      const header = readHeader(kind, hostile)
      if (typeof header === 'string') continue
      for (const synced of [true, false]) {
        const at = Math.min(header.bodyAt, hostile.length)
        const { units, rest } = header.scan(hostile, { at, ms: 0, leastMs: 0, synced })
        expect(rest).toBeGreaterThanOrEqual(0)
        expect(units.every((unit) => unit.at < unit.end && unit.end <= hostile.length)).toBe(true)
        expect(units.every((unit, i) => i === 0 || unit.at >= units[i - 1]!.end)).toBe(true)
        expect(units.every(({ ms, durationMs }) => Number.isFinite(ms + durationMs))).toBe(true)
        if (units.length > 0) expect(header.build(hostile, units).length).toBeGreaterThan(0)
      }
    }
  })

  it('finds nothing in noise, of any format', () => {
    const random = randomOf(5)
    const garbage = noise(300_000, random)
    for (const name of NAMES.filter((each) => !each.startsWith('pcm') && !each.startsWith('wav'))) {
      const { units } = open(name).format.scan(garbage, { at: 0, ms: 0, leastMs: 0, synced: false })
      expect([name, units.length]).toEqual([name, 0])
    }
  })
})
