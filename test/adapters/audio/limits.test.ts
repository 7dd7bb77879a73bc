import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDecoder } from '../../../lib/adapters/audio/decoder.ts'
import { findFfmpeg } from '../../../lib/adapters/audio/ffmpeg.ts'
import { sweepScratch } from '../../../lib/adapters/audio/spool.ts'
import type { Decoder } from '../../../lib/core/ports.ts'
import { ffmpeg, needFfmpeg, tone } from '../../support/media.ts'
import { writeWav } from '../../support/wav.ts'

const LIMITS = { maxDurationMs: 3_600_000, timeoutMs: 60_000 }
const dir = mkdtempSync(join(tmpdir(), 'verbatim-limits-'))
const scratchDir = join(dir, 'scratch')
const tenHours = join(dir, 'ten-hours.flac')
const program = fileURLToPath(new URL('./decode-once.ts', import.meta.url))
let decoders: Record<string, { decoder: Decoder; ffmpeg: string | null }>

beforeAll(async () => {
  const found = await needFfmpeg()
  decoders = {
    with: { ffmpeg: found, decoder: createDecoder({ ffmpeg: found, scratchDir }) },
    without: { ffmpeg: null, decoder: createDecoder({ ffmpeg: null, scratchDir }) },
  }
  await ffmpeg('-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '36000', '-c:a', 'flac', tenHours)
})
afterAll(() => rmSync(dir, { recursive: true }))

/** Programs that were started here and are still there, uncollected dead ones included. Only Linux tells. */
function children(): string[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()!.split(' ')
        return state !== undefined && parent === `${process.pid}`
      } catch {
        return false
      }
    })
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
    .filter((command) => command === '' || command.includes(dir))
}

describe.each(['with', 'without'])('decoding %s ffmpeg', (kind) => {
  const decoder = (): Decoder => decoders[kind]!.decoder

  afterAll(() => {
    expect(readdirSync(scratchDir)).toEqual([])
    expect(children()).toEqual([])
  })

  it('stops a small file that holds ten hours at the limit', async () => {
    let samples = 0
    const limits = { ...LIMITS, maxDurationMs: 600_000 }
    const onPcm = (_: number, pcm16: Int16Array): void => {
      samples += pcm16.length
    }
    const decoding = decoder().decode(tenHours, { channels: 'mix', limits, onPcm })
    await expect(decoding).rejects.toMatchObject({ code: 'too-long' })
    expect(samples).toBeLessThanOrEqual(600_000 * 16)
  })

  it('gives up when the time is over', async () => {
    const decoding = decoder().decode(tenHours, {
      channels: 'mix',
      limits: { maxDurationMs: 1e9, timeoutMs: 300 },
    })
    await expect(decoding).rejects.toMatchObject({ code: 'decode-timeout' })
  })

  it('stops in the middle when it is told to', async () => {
    const abort = new AbortController()
    const limits = { ...LIMITS, maxDurationMs: 1e9 }
    const onPcm = (): void => abort.abort()
    const decoding = decoder().decode(tenHours, { channels: 'mix', limits, signal: abort.signal, onPcm })
    await expect(decoding).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('does not begin when it was told to stop before', async () => {
    const decoding = decoder().decode(tenHours, {
      channels: 'mix',
      limits: LIMITS,
      signal: AbortSignal.abort(),
    })
    await expect(decoding).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('passes on what a listener throws', async () => {
    const onPcm = (): void => {
      throw new RangeError('the listener')
    }
    const decoding = decoder().decode(tenHours, {
      channels: 'mix',
      limits: { ...LIMITS, maxDurationMs: 1e9 },
      onPcm,
    })
    await expect(decoding).rejects.toMatchObject({ code: 'internal', cause: expect.any(RangeError) })
  })

  it('says when there is no room left', () => {
    const path = join(dir, 'room.wav')
    writeWav(path, tone(300, 20_000))
    // 200 blocks of 512 bytes are the largest file that this shell's programs may write.
    const said = once('ulimit -f 200; trap "" XFSZ;', path, kind)
    expect(said.code).toBe('disk-full')
  })

  it('needs no more memory for two hours than for two minutes', async () => {
    const rss: number[] = []
    for (const [seconds, noise] of [
      [120, 'anoisesrc=r=16000:a=0.1'],
      [7200, 'anoisesrc=r=16000:a=0.1'],
    ] as const) {
      const path = join(dir, `${kind}-${seconds}.wav`)
      await ffmpeg('-f', 'lavfi', '-i', noise, '-t', `${seconds}`, '-c:a', 'pcm_s16le', path)
      const said = once('', path, kind)
      expect(said.durationMs).toBe(seconds * 1000)
      rss.push(said.peakRssMb)
    }
    expect(rss[1]! - rss[0]!).toBeLessThan(100)
  })

  it('gives pieces that nothing writes to again', async () => {
    const path = join(dir, 'pieces.wav')
    const sound = tone(300, 10_000)
    writeWav(path, sound)
    const pieces: Int16Array[] = []
    const recording = await decoder().decode(path, {
      channels: 'separate',
      limits: LIMITS,
      onPcm: (_, pcm16) => void pieces.push(pcm16),
    })
    expect(pieces.length).toBeGreaterThan(1)
    expect(Int16Array.from(pieces.flatMap((piece) => [...piece]))).toEqual(sound)
    expect(await recording.read(0, 0, 10_000)).toEqual(sound)
    await recording.dispose()
    await expect(recording.read(0, 0, 1)).rejects.toThrow()
  })
})

/** Decodes a file in a process of its own. */
function once(shell: string, path: string, kind: string) {
  const args = [process.execPath, program, decoders[kind]!.ffmpeg ?? 'off', path, scratchDir]
  const said = execFileSync('/bin/sh', ['-c', `${shell} exec "$@"`, 'sh', ...args], { encoding: 'utf8' })
  return JSON.parse(said) as { code?: string; durationMs: number; peakRssMb: number }
}

describe('the scratch folder', () => {
  it('is cleared of what dead processes left, and of nothing else', async () => {
    const folder = join(dir, 'sweep')
    mkdirSync(folder)
    const dead = Number(execFileSync('/bin/sh', ['-c', 'echo $$'], { encoding: 'utf8' }))
    const id = '0123456789abcdef'
    for (const name of [
      `pcm-${dead}-${id}`,
      `pcm-${process.pid}-${id}`,
      `pcm-${process.ppid}-${id}`,
      'notes.txt',
    ]) {
      writeFileSync(join(folder, name), '')
    }
    expect(await sweepScratch(folder)).toBe(2)
    expect(readdirSync(folder).sort()).toEqual(['notes.txt', `pcm-${process.ppid}-${id}`])
    expect(await sweepScratch(join(dir, 'nowhere'))).toBe(0)
  })
})

describe('looking for ffmpeg', () => {
  it('finds the one in the path, and none when it is off or not there', async () => {
    expect(await findFfmpeg({ searchPath: '/nowhere:relative' })).toBeNull()
    expect(await findFfmpeg({ override: 'off', searchPath: '/usr/bin' })).toBeNull()
    const found = await needFfmpeg()
    expect(await findFfmpeg({ override: found })).toBe(found)
  })

  it('refuses an override that is no ffmpeg', async () => {
    await expect(findFfmpeg({ override: '/bin/sh' })).rejects.toMatchObject({ code: 'engine-missing' })
  })
})
