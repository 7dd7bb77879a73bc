import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { UsageError } from '../failure.ts'
import { pauseFor } from '../retry.ts'

/** `at`: seconds from the beginning of the sound. From then on `name` speaks; empty: nobody. */
const Line = z.object({ at: z.number().nonnegative(), name: z.string().max(200) })
export type SpeakerLine = z.infer<typeof Line>

/** Reads names, one JSON document a line, in order of time. Throws UsageError that names the line. */
export async function readSpeakers(path: string): Promise<SpeakerLine[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read (${error.code}).`)
  })
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }))
  return lines
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => parsed(line, `${path}, line ${number}`))
    .sort((a, b) => a.at - b.at)
}

function parsed(line: string, place: string): SpeakerLine {
  try {
    return Line.parse(JSON.parse(line))
  } catch {
    throw new UsageError(`${place} is no name.`, 'Write lines like {"at": 12.5, "name": "Ada"}.')
  }
}

/** Tells each name when its time has come. Ends with the last one, or when `stop` is aborted. */
export async function playSpeakers(
  lines: readonly SpeakerLine[],
  beginMs: number,
  tell: (name: string, at: Date) => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  for (const { at, name } of lines) {
    const when = beginMs + at * 1000
    await pauseFor(Math.max(0, when - Date.now()), stop).catch(() => {})
    if (stop.aborted) return
    await tell(name, new Date(when))
  }
}
