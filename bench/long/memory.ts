import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

// Memory of processes, from /proc; Linux only.

const LOOK_MS = 50

/** MB of one process without its children; undefined when it is gone. */
export function memoryMb(pid: number, field: 'VmHWM' | 'VmRSS'): number | undefined {
  const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(read(`/proc/${pid}/status`))?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

/** Looks out for the decoder, which is a child of the service: the most memory that any has had. */
export function watchDecoder(service: number) {
  const stop = new AbortController()
  let most = 0
  const watching = (async () => {
    while (!stop.signal.aborted) {
      for (const pid of childrenOf(service)) {
        if (read(`/proc/${pid}/comm`).trim() === 'ffmpeg') most = Math.max(most, memoryMb(pid, 'VmHWM') ?? 0)
      }
      await sleep(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  return {
    async end(): Promise<number> {
      stop.abort()
      await watching
      return most
    },
  }
}

/** proc(5): the children that the process's first thread has started. */
const childrenOf = (pid: number): number[] =>
  read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number)

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
