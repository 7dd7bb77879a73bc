import { afterEach, describe, expect, it } from '@jest/globals'
import type { EngineOptions, WhisperEngine } from '../../../lib/adapters/whisper/pool.ts'
import { miniEngine } from '../../support/engine.ts'
import { codeOf, isRunning, repeat, sample, textOf, until } from './support.ts'

const SHORT = 'Please send the report to Alice before Friday.'
/** A few sentences, about a second of work. */
const talk = () => sample('meeting60.wav').subarray(0, 20 * 16_000)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('the pool of engine processes', () => {
  let engine: WhisperEngine | undefined
  afterEach(() => engine?.close())

  async function pool(overrides: Partial<EngineOptions> = {}): Promise<WhisperEngine> {
    engine = await miniEngine(overrides)
    return engine
  }

  it('starts a process only when it is needed, or when it is told to', async () => {
    const lazy = await pool({ processes: 2 })
    expect(lazy.pids()).toEqual([])
    await lazy.hear(sample('short.wav'), { language: 'en' })
    await lazy.hear(sample('short.wav'), { language: 'en' })
    expect(lazy.pids()).toHaveLength(1)
    await lazy.start()
    expect(lazy.pids()).toHaveLength(2)
  })

  it('hears a recording to its end although the process is killed meanwhile', async () => {
    const { hear, pids, start } = await pool()
    await start()
    const [first] = pids()
    const undisturbed = await hear(talk(), { language: 'en' })
    let done = false
    const heard = hear(talk(), { language: 'en' }).finally(() => {
      done = true
    })
    await pause(300)
    expect(done).toBe(false)
    process.kill(first!, 'SIGKILL')
    expect(await heard).toEqual(undisturbed)
    expect(pids()).toEqual([expect.any(Number)])
    expect(pids()).not.toEqual([first])
  })

  it('does not mind a process that dies between two requests', async () => {
    const { hear, pids } = await pool()
    for (let round = 0; round < 3; round += 1) {
      expect(textOf(await hear(sample('short.wav'), { language: 'en' }))).toBe(SHORT)
      const [pid] = pids()
      process.kill(pid!, 'SIGKILL')
      if (round > 0) await until(() => !isRunning(pid!))
    }
  })

  it('is free for the next request soon after one was cancelled', async () => {
    const { hear, pids, start } = await pool()
    await start()
    const before = pids()
    const cancel = new AbortController()
    // Twenty minutes: heard to its end, it would outlast this test's time.
    const heard = codeOf(hear(repeat(sample('meeting60.wav'), 22), { language: 'en', signal: cancel.signal }))
    await pause(500)
    cancel.abort()
    expect(await heard).toBe('cancelled')
    expect(textOf(await hear(sample('short.wav'), { language: 'en' }))).toBe(SHORT)
    expect(pids()).toEqual(before)
  }, 30_000)

  it('hears one thing at a time in each process, in the order of asking', async () => {
    const { hear } = await pool()
    const order: string[] = []
    const ask = async (name: string, pcm16: Int16Array) => {
      await hear(pcm16, { language: 'en' })
      order.push(name)
    }
    await Promise.all([
      ask('long', talk()),
      ask('short', sample('short.wav')),
      ask('shorter', sample('short.wav').subarray(0, 16_000)),
    ])
    expect(order).toEqual(['long', 'short', 'shorter'])
  })

  it('hears two things side by side in two processes', async () => {
    const { hear, start } = await pool({ processes: 2 })
    await start()
    const order: string[] = []
    const long = hear(talk(), { language: 'en' }).then(() => order.push('long'))
    const short = hear(sample('short.wav'), { language: 'en' }).then(() => order.push('short'))
    await Promise.all([long, short])
    expect(order).toEqual(['short', 'long'])
  })

  it('lets a request leave the queue', async () => {
    const { hear } = await pool()
    const cancel = new AbortController()
    const first = hear(talk(), { language: 'en' })
    const waiting = codeOf(hear(talk(), { language: 'en', signal: cancel.signal }))
    const last = hear(sample('short.wav'), { language: 'en' })
    cancel.abort()
    expect(await waiting).toBe('cancelled')
    expect(await codeOf(hear(sample('short.wav'), { language: 'en', signal: cancel.signal }))).toBe(
      'cancelled',
    )
    expect((await first).length).toBeGreaterThan(3)
    expect(textOf(await last)).toBe(SHORT)
  })

  it('takes no request after it was closed, turns away those that wait, and lets none run on', async () => {
    const { hear, close, pids, start } = await pool()
    await start()
    const [pid] = pids()
    const running = codeOf(hear(repeat(talk(), 3), { language: 'en' }))
    const waiting = codeOf(hear(sample('short.wav'), { language: 'en' }))
    await pause(200)
    await close()
    expect(await waiting).toBe('engine-crashed')
    // A fast machine may end it in the time that a process is given to end by itself.
    expect(['engine-crashed', undefined]).toContain(await running)
    expect(await codeOf(hear(sample('short.wav'), { language: 'en' }))).toBe('engine-crashed')
    expect(pids()).toEqual([])
    expect(isRunning(pid!)).toBe(false)
  })
})
