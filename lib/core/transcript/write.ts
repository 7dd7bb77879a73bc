import type { Format } from '../job.ts'
import { writeJson } from './json.ts'
import type { Transcript } from './shape.ts'
import { writeSrt } from './srt.ts'
import { writeText } from './text.ts'
import { writeVtt } from './vtt.ts'

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json',
  srt: 'application/x-subrip; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
}

const WRITERS: Readonly<Record<Format, (transcript: Transcript) => string>> = {
  json: writeJson,
  srt: writeSrt,
  vtt: writeVtt,
  txt: writeText,
}

/** The transcript as a file. Always valid: also when nobody spoke. */
export const write = (transcript: Transcript, format: Format): string => WRITERS[format](transcript)
