import { type Failure, failureJson, failureOf } from './failure.ts'
import type { Out } from './out.ts'
import { clean } from './text.ts'

/** One line on what went wrong and one on what to do, on stderr; with --json also the document on stdout. */
export function reportFailure(
  out: Out,
  thrown: unknown,
  about: { label?: string; json?: object } = {},
): number {
  const failure = failureOf(thrown)
  if (out.wantsJson) out.json({ ...about.json, error: failureJson(failure) })
  tell(out, failure, about.label)
  return failure.exit
}

function tell(out: Out, { code, message, hint }: Failure, label?: string): void {
  if (code === 'interrupted') return
  const place = label === undefined ? '' : `${clean(label)}: `
  out.warn(`${out.paint('red', 'verbatim:')} ${place}${clean(message)}`)
  if (hint) out.warn(out.paint('dim', `  ${clean(hint)}`))
}

/** The exit code of several pieces of work: the first one that is not 0, in their order. */
export const worstOf = (exits: readonly number[]): number => exits.find((exit) => exit !== 0) ?? 0

/**
 * Does the same for each id in turn; one that fails does not stop the others, an interruption does. `field`: what the
 * ids are called in documents.
 */
export async function forEachId(
  out: Out,
  signal: AbortSignal,
  ids: readonly string[],
  act: (id: string) => Promise<void>,
  field = 'jobId',
): Promise<number> {
  const exits: number[] = []
  for (const id of ids) {
    signal.throwIfAborted()
    try {
      await act(id)
      exits.push(0)
    } catch (error) {
      signal.throwIfAborted()
      exits.push(reportFailure(out, error, { label: id, json: { [field]: id } }))
    }
  }
  return worstOf(exits)
}
