/** A token of the engine: a piece of text, with the space before it if it has one, and its times. */
export interface Token {
  readonly text: string
  readonly startMs: number
  readonly endMs: number
  /** 0..1 */
  readonly probability: number
}

/** A token with its place in the segment's text: code units `from` to `to`, both at visible characters. */
export interface Placed {
  readonly from: number
  readonly to: number
  readonly startMs: number
  readonly endMs: number
  readonly probability: number
  /** It carries letters or digits, so its probability says something about a word. */
  readonly spoken: boolean
}

/** Whisper's own marks (`[_BEG_]`, `[_TT_150]`, `<|en|>`): never part of what was said. */
const SPECIAL = /^(\[_[A-Z0-9_]+\]|<\|[^|]*\|>)$/
const SPOKEN = /[\p{L}\p{N}]/u
/** How far a token may lie ahead of where it is expected, beyond what the tokens before it could fill. */
const SLACK = 16

/**
 * Finds the tokens in the text, in order. The text is the truth: what no token matches (a token may be broken
 * inside a character and read U+FFFD) goes to the tokens between its neighbours, and tokens that the text does
 * not have are left out. Together the result covers every visible character once.
 */
export function alignTokens(
  tokens: readonly Token[],
  text: string,
  bounds: { readonly startMs: number; readonly endMs: number },
): Placed[] {
  const placed: Placed[] = []
  let unmatched: Token[] = []
  let at = nextVisible(text, 0)

  const fill = (to: number, next?: Token) => {
    const visibleTo = at + text.slice(at, to).trimEnd().length
    if (visibleTo > at) {
      placed.push({
        from: at,
        to: visibleTo,
        startMs: unmatched[0]?.startMs ?? placed.at(-1)?.endMs ?? bounds.startMs,
        endMs: unmatched.at(-1)?.endMs ?? next?.startMs ?? bounds.endMs,
        probability: unmatched.length > 0 ? Math.min(...unmatched.map(({ probability }) => probability)) : 0,
        spoken: SPOKEN.test(text.slice(at, visibleTo)),
      })
    }
    unmatched = []
  }

  for (const token of tokens) {
    const visible = token.text.trim()
    if (visible === '' || SPECIAL.test(visible)) continue
    const found = visible.includes('\ufffd') ? -1 : indexNear(text, visible, at, unmatched)
    if (found < 0) {
      unmatched.push(token)
      continue
    }
    fill(found, token)
    const { startMs, endMs, probability } = token
    const to = found + visible.length
    placed.push({ from: found, to, startMs, endMs, probability, spoken: SPOKEN.test(visible) })
    at = nextVisible(text, to)
  }
  fill(text.length)
  return placed
}

const nextVisible = (text: string, from: number): number => from + text.slice(from).search(/\S|$/)

function indexNear(text: string, visible: string, at: number, unmatched: readonly Token[]): number {
  if (text.startsWith(visible, at)) return at
  const reach = unmatched.reduce((sum, token) => sum + 2 * token.text.length, SLACK)
  const found = text.slice(at, at + reach + visible.length).indexOf(visible)
  return found < 0 ? -1 : at + found
}
