import { Interrupted } from './failure.ts'

/** Two signals so close together are one Ctrl-C that came by two ways: from the terminal, and through a parent. */
const ECHO_MS = 400

const EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Aborted by the first Ctrl-C (SIGTERM, hang-up). The next one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  let firstAt: number | undefined
  for (const [name, exit] of Object.entries(EXITS)) {
    process.on(name, () => {
      const now = performance.now()
      if (firstAt === undefined) {
        firstAt = now
        controller.abort(new Interrupted(exit))
      } else if (now - firstAt > ECHO_MS) process.exit(exit)
    })
  }
  return controller.signal
}
