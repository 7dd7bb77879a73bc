import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { throwIfCancelled } from './run.ts'

const HEARTBEAT_MS = 2000
/** A holder that has not touched its lock for so long is gone. */
const STALE_MS = 15_000
const POLL_MS = 300

export interface LockOptions {
  readonly signal?: AbortSignal | undefined
  /** Called once, when somebody else holds the lock. */
  readonly onWait?: () => void
}

/**
 * Does `work` while this process holds the lock file at `path`; other processes wait for it.
 *
 * The lock saves double work, it does not guard correctness: two processes that find the same stale lock at the
 * same moment can both go on, so `work` must end in an atomic rename. A holder that was killed is noticed by its
 * process id on this machine, and by its missing heartbeat from another one (a cache shared by containers).
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  await acquire(path, options)
  const heartbeat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, HEARTBEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    await rm(path, { force: true })
  }
}

async function acquire(path: string, { signal, onWait }: LockOptions): Promise<void> {
  const owner = JSON.stringify({ pid: process.pid, host: hostname() })
  for (let waited = false; ; ) {
    throwIfCancelled(signal)
    try {
      return await writeFile(path, owner, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isStale(path)) {
      await rm(path, { force: true })
      continue
    }
    if (!waited) onWait?.()
    waited = true
    await sleep(POLL_MS)
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > STALE_MS) return true
    const owner = JSON.parse(await readFile(path, 'utf8')) as { pid?: number; host?: string }
    return owner.host === hostname() && typeof owner.pid === 'number' && !isAlive(owner.pid)
  } catch {
    return false // it has just gone, or is being written: look again
  }
}

/** Whether a process with this id runs on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
