import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

// What processes use, from /proc; Linux only. proc(5) names the fields of /proc/<pid>/stat.

/** USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_S = 100

/** CPU seconds so far. */
export interface Cpu {
  /** Of the engine's processes. */
  readonly engineS: number
  /** Of the service's own process. */
  readonly ownS: number
  /** Of processes that the service has started and that have ended: ffmpeg's. */
  readonly decoderS: number
}

/** What the service with this process id has used, its engines being its children. */
export function cpuOf(pid: number): Cpu {
  const own = statOf(pid)
  const engines = childrenOf(pid).filter(({ name }) => name === 'whisper-server')
  return {
    engineS: engines.reduce((sum, { cpuS }) => sum + cpuS, 0),
    ownS: own?.cpuS ?? 0,
    decoderS: own?.endedS ?? 0,
  }
}

export const cpuSince = (pid: number, before: Cpu): Cpu => {
  const now = cpuOf(pid)
  return {
    engineS: now.engineS - before.engineS,
    ownS: now.ownS - before.ownS,
    decoderS: now.decoderS - before.decoderS,
  }
}

/** CPU seconds of one process. */
export const cpuSecondsOf = (pid: number): number => statOf(pid)?.cpuS ?? 0

/** Memory of one process without its children's, MB. */
export function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}

/** Looks at a process's memory until it is stopped. Begins with one look. */
export function watchMemory(pid: number, everyMs = 1_000) {
  const stop = new AbortController()
  const mb = [residentMb(pid)]
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {})
      mb.push(residentMb(pid))
    }
  })()
  return {
    async end(): Promise<number[]> {
      stop.abort()
      await watching
      return mb
    },
  }
}

interface Stat {
  readonly name: string
  readonly parent: number
  readonly cpuS: number
  /** Of children that have ended and were waited for. */
  readonly endedS: number
}

function childrenOf(parent: number): Stat[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map((pid) => statOf(Number(pid))).filter((stat) => stat?.parent === parent) as Stat[]
}

/** Undefined when there is no such process any more. */
function statOf(pid: number): Stat | undefined {
  try {
    // The name may hold blanks and parentheses; nothing after it does.
    const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    const fields = rest.split(' ').map(Number)
    // Without pid and name, field n of proc(5) is at n - 3.
    const ticks = (from: number) => (fields[from - 3]! + fields[from - 2]!) / TICKS_PER_S
    return { name, parent: fields[1]!, cpuS: ticks(14), endedS: ticks(16) }
  } catch {
    return undefined
  }
}
