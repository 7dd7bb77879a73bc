import { styleText } from 'node:util'

/** stdout is data, stderr is conversation. */
export interface Out {
  /** Machine-readable output, as it is. */
  data(text: string | Uint8Array): void
  /** One JSON document on one line. */
  json(value: unknown): void
  /** A line for people, on stderr. Silent with --quiet. */
  say(line: string): void
  /** A line for people that --quiet does not silence. */
  warn(line: string): void
  /** Lines that stay at the bottom of a terminal and are redrawn; nothing where stderr is no terminal. */
  pin(lines: readonly string[]): void
  readonly pins: boolean
  readonly quiet: boolean
  /** True: print documents and not prose on stdout. */
  readonly wantsJson: boolean
  readonly stdoutIsTty: boolean
  paint(style: Style, text: string): string
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string | Uint8Array): unknown
}

export interface OutOptions {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly quiet: boolean
  readonly json: boolean
  /** From NO_COLOR (https://no-color.org) and the like: colours may be used on a terminal. */
  readonly color: boolean
}

// Autowrap is off while the pinned lines are drawn: a long name is clipped and never takes a second line.
const NO_WRAP = '\x1b[?7l'
const WRAP = '\x1b[?7h'

export function createOut({ stdout, stderr, quiet, json, color }: OutOptions): Out {
  const pins = stderr.isTTY === true && !quiet
  let pinned: readonly string[] = []
  const erase = () => (pinned.length === 0 ? '' : `\x1b[${pinned.length}A\r\x1b[J`)
  const draw = (lines: readonly string[]) =>
    lines.length === 0 ? '' : `${NO_WRAP}${lines.map((line) => `${line}\n`).join('')}${WRAP}`

  function above(print: () => void): void {
    if (pinned.length > 0) stderr.write(erase())
    print()
    if (pinned.length > 0) stderr.write(draw(pinned))
  }
  const warn = (line: string) => above(() => stderr.write(`${line}\n`))
  return {
    data: (text) => above(() => stdout.write(text)),
    json: (value) => above(() => stdout.write(`${JSON.stringify(value)}\n`)),
    say: (line) => {
      if (!quiet) warn(line)
    },
    warn,
    pin(lines) {
      if (!pins) return
      stderr.write(erase() + draw(lines))
      pinned = [...lines]
    },
    pins,
    quiet,
    wantsJson: json,
    stdoutIsTty: stdout.isTTY === true,
    paint: (style, text) =>
      color && stderr.isTTY ? styleText(style, text, { validateStream: false }) : text,
  }
}

/** A reader that has seen enough (`| head`) is no error: the process ends without a word. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
}
