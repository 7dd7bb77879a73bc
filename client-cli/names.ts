import { basename, extname, join } from 'node:path'
import { FORMATS, type Format } from '../lib/core/job.ts'

/**
 * A name for the transcript of each recording, without extension, in the order given: `talk.wav` becomes `talk`. Where
 * two would meet they keep their extensions (`talk.wav`, `talk.mp3`), and a number where those are the same too. Case
 * is folded, since some file systems do.
 */
export function transcriptNames(recordings: ReadonlyArray<{ name: string; folder: string }>): string[] {
  const short = recordings.map(({ name, folder }) => join(folder, stem(name)))
  const count = new Map<string, number>()
  for (const name of short) count.set(fold(name), (count.get(fold(name)) ?? 0) + 1)
  const taken = new Set<string>()
  return recordings.map(({ name, folder }, i) => {
    const alone = count.get(fold(short[i]!)) === 1
    const wish = alone ? short[i]! : join(folder, safe(name))
    let free = wish
    for (let n = 2; taken.has(fold(free)); n++) free = `${wish}-${n}`
    taken.add(fold(free))
    return free
  })
}

export const outputPath = (directory: string, name: string, format: Format): string =>
  join(directory, `${name}.${format}`)

function stem(name: string): string {
  const whole = safe(name)
  const short = basename(whole, extname(whole))
  return short === '' ? whole : short
}

/** A name may come from the service: it must stay in its folder, be visible, and mean nothing to a terminal. */
function safe(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  const plain = last
    .replace(/[\p{Cc}<>:"|?*]/gu, '_')
    .replace(/^\.+/, '')
    .trim()
  // File systems take 255 bytes; room is left for a number and the extension.
  const short = Buffer.from(plain)
    .subarray(0, 230)
    .toString('utf8')
    .replace(/\ufffd+$/, '')
  return short === '' ? 'recording' : short
}

const fold = (name: string): string => name.normalize('NFC').toLowerCase()

/** Formats in the order of the contract, each once. */
export const inOrder = (formats: readonly Format[]): Format[] => FORMATS.filter((f) => formats.includes(f))
