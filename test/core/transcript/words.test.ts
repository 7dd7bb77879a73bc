import { describe, expect, it } from '@jest/globals'
import { findWords, splitWords } from '../../../lib/core/transcript/split.ts'
import { type Token, wordsFromText, wordsFromTokens } from '../../../lib/core/transcript/words.ts'
import { randomFrom } from '../../support/random.ts'

const texts = (text: string, language?: string) =>
  splitWords(text, language).map(({ start, end }) => text.slice(start, end))

/** Tokens as the engine gives them: text with the space in front, times, probability. */
const tokens = (
  ...rows: Array<[text: string, startMs: number, endMs: number, probability?: number]>
): Token[] => rows.map(([text, startMs, endMs, probability = 0.9]) => ({ text, startMs, endMs, probability }))

const SAMPLES: ReadonlyArray<[language: string, text: string, words: string[]]> = [
  ['en', ' Please send it.', ['Please', 'send', 'it.']],
  [
    'en',
    `I don't know the state-of-the-art, it's 3.5% — "maybe" 10 %!`,
    ['I', "don't", 'know', 'the', 'state-of-the-art,', "it's", '3.5% —', '"maybe"', '10 %!'],
  ],
  ['en', '- Hello - again', ['- Hello -', 'again']],
  ['en', 'Rock & roll @ nine', ['Rock', '&', 'roll', '@', 'nine']],
  ['fr', ' « Ça va ? » — Oui\u00a0!', ['« Ça', 'va ? » —', 'Oui\u00a0!']],
  ['es', '¿ Qué ? ¡No!', ['¿ Qué ?', '¡No!']],
  ['de', '„Hallo“, sagte er (leise).', ['„Hallo“,', 'sagte', 'er', '(leise).']],
  [
    'zh',
    '今天我们讨论预算。他说:「好」,对吧?',
    ['今天', '我们', '讨论', '预算。', '他', '说:', '「好」,', '对', '吧?'],
  ],
  ['zh', '我用iPhone，world「很好」', ['我', '用', 'iPhone，', 'world', '「很好」']],
  ['ja', 'お客様の名前は田中です。', ['お客様', 'の', '名前', 'は', '田中', 'です。']],
  ['ja', 'コーヒー、3月です', ['コーヒー、', '3', '月', 'です']],
  ['th', 'สวัสดีครับ ผมชื่อสมชาย', ['สวัสดี', 'ครับ', 'ผม', 'ชื่อ', 'สมชาย']],
  ['lo', 'ສະບາຍດີຂ້ອຍ', ['ສະບາຍດີ', 'ຂ້ອຍ']],
  ['km', 'សួស្តីខ្ញុំ។', ['សួស្តី', 'ខ្ញុំ។']],
  ['my', 'မင်္ဂလာပါ။', ['မင်္ဂလာ', 'ပါ။']],
  ['ko', '안녕하세요 저는 민수입니다.', ['안녕하세요', '저는', '민수입니다.']],
  ['ar', 'مرحبا، كيف حالك؟', ['مرحبا،', 'كيف', 'حالك؟']],
  ['hi', 'नमस्ते दुनिया।', ['नमस्ते', 'दुनिया।']],
  ['en', 'cafe\u0301 nai\u0308ve', ['cafe\u0301', 'nai\u0308ve']],
  ['en', 'Hi 👩‍👩‍👧‍👦 there', ['Hi', '👩‍👩‍👧‍👦', 'there']],
  ['en', '...', ['...']],
  ['en', ' \n ', []],
]

describe('what the words of a text are', () => {
  it.each(SAMPLES)('%s: %j', (language, text, words) => {
    expect(texts(text, language)).toEqual(words)
  })

  it('an unknown language or a broken code still gives words', () => {
    expect(texts('今天我们', 'not a tag!')).toEqual(['今天', '我们'])
    expect(texts('今天我们')).toEqual(['今天', '我们'])
  })
})

describe('words from tokens', () => {
  it('a reply of the engine: late first token, tokens without length, punctuation of its own', () => {
    const words = wordsFromTokens(
      tokens(
        [' Please', 620, 620, 0.99],
        [' send', 640, 870, 0.98],
        [' the', 870, 1060, 0.97],
        [' rep', 1060, 1060, 0.6],
        ['ort', 1060, 1380, 0.9],
        ['.', 2740, 2780, 0.1],
      ),
      { text: ' Please send the report.', startMs: 320, endMs: 2780, language: 'en' },
    )
    expect(words).toEqual([
      { text: 'Please', startMs: 320, endMs: 620, probability: 0.99 },
      { text: 'send', startMs: 640, endMs: 870, probability: 0.98 },
      { text: 'the', startMs: 870, endMs: 1060, probability: 0.97 },
      { text: 'report.', startMs: 1060, endMs: 2780, probability: 0.6 },
    ])
  })

  it('several words at one instant share the pause behind them', () => {
    const words = wordsFromTokens(
      tokens(
        [' That', 500, 500],
        [' is', 500, 500],
        [' a', 500, 500],
        [' good', 500, 570],
        [' idea', 900, 1200],
      ),
      { text: ' That is a good idea', startMs: 500, endMs: 1200 },
    )
    expect(words.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [500, 645],
      [645, 718],
      [718, 754],
      [754, 900],
      [900, 1200],
    ])
  })

  it('a start far behind the segment’s is a pause and stays', () => {
    const [word] = wordsFromTokens(tokens([' Yes', 4000, 4400]), { text: ' Yes', startMs: 0, endMs: 6000 })
    expect(word).toMatchObject({ startMs: 4000, endMs: 4400 })
  })

  it('Chinese tokens that cut across words give their time by length', () => {
    const words = wordsFromTokens(tokens(['今天我', 0, 900, 0.5], ['们讨论', 900, 1800, 0.8]), {
      text: '今天我们讨论',
      startMs: 0,
      endMs: 1800,
      language: 'zh',
    })
    expect(words).toEqual([
      { text: '今天', startMs: 0, endMs: 600, probability: 0.5 },
      { text: '我们', startMs: 600, endMs: 1200, probability: 0.5 },
      { text: '讨论', startMs: 1200, endMs: 1800, probability: 0.8 },
    ])
  })

  it('tokens broken inside a character still time the word they are in', () => {
    const words = wordsFromTokens(
      tokens(
        [' na', 0, 100],
        ['\ufffd', 100, 150, 0.3],
        ['\ufffd', 150, 200],
        ['ve', 200, 400],
        [' yes', 400, 800],
      ),
      { text: ' naïve yes', startMs: 0, endMs: 800 },
    )
    expect(words).toEqual([
      { text: 'naïve', startMs: 0, endMs: 400, probability: 0.3 },
      { text: 'yes', startMs: 400, endMs: 800, probability: 0.9 },
    ])
  })

  it('marks of the engine, empty tokens and tokens that the text does not have are left out', () => {
    const words = wordsFromTokens(
      tokens(
        ['[_BEG_]', 0, 0, 0.01],
        ['<|en|>', 0, 0, 0.01],
        ['', 0, 0, 0.01],
        [' Yes', 0, 300],
        [' gone', 300, 400, 0.01],
        ['[_TT_50]', 400, 400],
      ),
      { text: ' Yes', startMs: 0, endMs: 400 },
    )
    expect(words).toEqual([{ text: 'Yes', startMs: 0, endMs: 400, probability: 0.9 }])
  })

  it('a text without tokens shares the segment’s time by length; nothing is known about its probability', () => {
    expect(wordsFromText({ text: 'one three', startMs: 1000, endMs: 1800 })).toEqual([
      { text: 'one', startMs: 1000, endMs: 1267, probability: 0 },
      { text: 'three', startMs: 1356, endMs: 1800, probability: 0 },
    ])
    expect(wordsFromText({ text: ' ', startMs: 0, endMs: 10 })).toEqual([])
  })

  it('a segment of no length gives each word a millisecond', () => {
    const words = wordsFromTokens(tokens([' a', 5, 5], [' b', 5, 5], [' c', 5, 5]), {
      text: ' a b c',
      startMs: 5,
      endMs: 5,
    })
    expect(words.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [5, 6],
      [6, 7],
      [7, 8],
    ])
  })
})

/** Splits anywhere, even inside characters, with times that go back, stand still, and leave the segment. */
function randomTokens(text: string, random: () => number): Token[] {
  const made: Token[] = []
  let at = 0
  let clock = 1000
  while (at < text.length) {
    const end = at + 1 + Math.floor(random() * 6)
    const broken = random() < 0.08
    const startMs = clock + Math.floor(random() * 400 - 150)
    const endMs = random() < 0.3 ? startMs : startMs + Math.floor(random() * 500)
    made.push({ text: broken ? '\ufffd' : text.slice(at, end), startMs, endMs, probability: random() })
    if (random() < 0.05) made.push({ text: '[_TT_7]', startMs: 0, endMs: 0, probability: 0 })
    clock = Math.max(clock, endMs - 50)
    at = end
  }
  return made
}

describe('whatever the tokens look like', () => {
  it.each(SAMPLES)('%s: nothing of %j is lost or doubled, and the times are usable', (language, text) => {
    const random = randomFrom(text.length)
    for (let round = 0; round < 100; round++) {
      const segment = { text, language, startMs: 1000, endMs: 1000 + Math.floor(random() * 6000) }
      const words = wordsFromTokens(randomTokens(text, random), segment)
      expect(findWords(text, words)).toHaveLength(words.length)
      const latestMs = Math.max(segment.endMs, segment.startMs + words.length)
      const wrong = words.filter(({ startMs, endMs, probability }, i) => {
        const inOrder =
          startMs >= (words[i - 1]?.endMs ?? segment.startMs) && endMs > startMs && endMs <= latestMs
        return !inOrder || !Number.isInteger(startMs + endMs) || !(probability >= 0 && probability <= 1)
      })
      expect(wrong).toEqual([])
    }
  })
})

describe('finding words in their text', () => {
  it('says no when the text holds something else', () => {
    expect(findWords('a b', [{ text: 'a' }])).toBeUndefined()
    expect(findWords('a b', [{ text: 'a' }, { text: 'x' }])).toBeUndefined()
    expect(findWords(' a  b ', [{ text: 'a' }, { text: 'b' }])).toEqual([
      { start: 1, end: 2 },
      { start: 4, end: 5 },
    ])
  })
})
