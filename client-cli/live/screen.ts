import type { Out } from '../out.ts'
import { clean, lengthText } from '../text.ts'
import type { LiveUpdate, Segment } from './follow.ts'

export interface ScreenOptions {
  /** --json: drafts too. */
  readonly drafts: boolean
  /** Finals up to this id are known already. */
  readonly after?: number | undefined
  /** No captions on stdout: something else goes there. */
  readonly silent?: boolean
}

export interface Screen {
  show(update: LiveUpdate): void
  /** A line on how the sending goes, under the drafts. */
  status(line: string): void
  /** Takes away what is not there to stay. */
  end(): void
}

/** How many lines of drafts are shown: their ends, where something happens. */
const DRAFT_LINES = 3

/**
 * Shows captions. On a terminal drafts stand in grey below the finals until they turn into some; elsewhere there are
 * only finals, a line each. With --json each final is a document, and again when it was revised.
 */
export function createScreen(
  out: Out,
  { drafts: wantsDrafts, after = -1, silent = false }: ScreenOptions,
): Screen {
  const shown = new Set<number>()
  let drafts: readonly Segment[] = []
  let status = ''
  let drawn = ''
  const draw = () => {
    const grey = out.stdoutIsTty && !out.wantsJson ? drafts.map((draft) => textOf(draft)).join(' ') : ''
    const lines = wrapped(grey, (process.stderr.columns ?? 80) - 1).slice(-DRAFT_LINES)
    const dim = [...lines, ...(status ? [status] : [])].map((line) => out.paint('dim', line))
    if (dim.join('\n') !== drawn) out.pin(dim)
    drawn = dim.join('\n')
  }

  function showFinal(segment: Segment): void {
    const known = shown.has(segment.id) || segment.id <= after
    shown.add(segment.id)
    drafts = drafts.filter(({ id }) => id > segment.id)
    // First the draft goes, then its final comes.
    draw()
    if (silent) return
    if (out.wantsJson && (!known || segment.revision > 1)) out.json(segment)
    // What stands on paper cannot be revised; who wants it that way takes --json or the transcript.
    else if (!out.wantsJson && !known && segment.text !== '') out.data(`${lineOf(out, segment)}\n`)
  }

  return {
    show(update) {
      if (update.what === 'final') showFinal(update.segment)
      else if (update.what === 'drafts') {
        drafts = update.segments
        if (out.wantsJson && wantsDrafts && !silent) for (const segment of drafts) out.json(segment)
      }
      draw()
    },
    status(line) {
      status = line
      draw()
    },
    end() {
      drafts = []
      status = ''
      draw()
    },
  }
}

function lineOf(out: Out, segment: Segment): string {
  if (!out.stdoutIsTty) return textOf(segment)
  const { startMs, speaker, text } = segment
  const name = speaker === undefined ? '' : `${out.paint('bold', clean(speaker))}: `
  return `${out.paint('dim', lengthText(startMs))}  ${name}${clean(text)}`
}

const textOf = ({ speaker, text }: Segment): string =>
  clean(speaker === undefined ? text : `${speaker}: ${text}`)

/** Lines of at most `width` characters, broken between words. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
