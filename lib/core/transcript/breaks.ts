/** A word as it is laid out: `gap` is what stands before it when it does not begin a line. */
export interface Unit {
  readonly text: string
  readonly gap: '' | ' '
  readonly startMs: number
  readonly endMs: number
  readonly width: number
}

const CLOSERS = '[\\p{Pe}\\p{Pf}"\'”’»]*$'
const SENTENCE_END = new RegExp(`[.!?…。！？｡؟۔।॥၊။።]${CLOSERS}`, 'u')
const CLAUSE_END = new RegExp(`[,;:،؛，、；：–—]${CLOSERS}`, 'u')
/** A pause as long as this separates as well as a comma does. */
const PAUSE_MS = 400

/** What a break in front of the unit costs the reader; only the order and rough distance of the values matter. */
const COST = { sentence: 0, clause: 8, connective: 14, article: 22, word: 30, dangling: 40, inside: 90 }

/** A full stop that ends no sentence: titles and initials. */
const ABBREVIATION = /^(Mr|Mrs|Ms|Dr|Prof|St|\p{Lu})\.$/u

/** Conjunctions and prepositions that a reader likes to see at the start of a line, not at the end of one. */
const CONNECTIVES = new Set(
  [
    'and or but nor so yet because although though while when where which that who if unless until since before after as than of in on at by for from with without into onto about over under through between to',
    'und oder aber denn sondern weil dass ob wenn als während bevor nachdem obwohl damit mit ohne für von vor nach bei zu zum zur aus auf in im an am über unter durch zwischen gegen um',
    'et ou mais donc car ni que qui quand lorsque parce puisque si comme dans sur sous avec sans pour par de à au aux chez entre vers depuis pendant',
    'y o u pero sino porque que cuando donde si como aunque mientras en con sin para por de del a al sobre entre desde hasta hacia',
    'e o ma perché che quando dove se come mentre in con senza per di del della a al da dal su tra fra',
    'mas nem porque quando onde se como embora enquanto em no na com sem para por do da ao sobre entre desde até',
    'en of maar want dus omdat dat als terwijl hoewel met zonder voor van naar bij uit op aan over onder door tussen tegen om',
  ]
    .join(' ')
    .split(' '),
)

const ARTICLES = new Set(
  'the a an der die das den dem des ein eine einen einem einer le la les un une du des el los las una il lo gli os as um uma de het een'.split(
    ' ',
  ),
)

/** The cost of breaking between two neighbouring units. */
export function breakCost(before: Unit, after: Unit, sameWord: boolean): number {
  if (sameWord) return COST.inside
  if (SENTENCE_END.test(before.text) && !ABBREVIATION.test(before.text)) return COST.sentence
  if (CLAUSE_END.test(before.text) || after.startMs - before.endMs >= PAUSE_MS) return COST.clause
  const [last, next] = [before.text.toLowerCase(), after.text.toLowerCase()]
  if (CONNECTIVES.has(last) || ARTICLES.has(last)) return COST.dangling
  if (CONNECTIVES.has(next)) return COST.connective
  return ARTICLES.has(next) ? COST.article : COST.word
}
