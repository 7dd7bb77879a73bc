import type { Client } from './client.ts'
import type { Out } from './out.ts'
import type { Environment, Settings } from './settings.ts'

/** What a command works with. */
export interface Context {
  readonly out: Out
  readonly env: Environment
  readonly settings: Settings
  readonly client: Client
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly stdin: NodeJS.ReadStream
}

/** Runs a command's action; resolves with the exit code. */
export type Action = (context: Context) => Promise<number>

/** Gives an action to the program; called by commander once the command line is understood. */
export type Run = (action: Action) => Promise<void>
