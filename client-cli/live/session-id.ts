import { randomInt } from 'node:crypto'

const FIRST = [
  ...[
    'amber',
    'brisk',
    'calm',
    'clear',
    'early',
    'fair',
    'fresh',
    'gentle',
    'golden',
    'green',
    'keen',
    'kind',
  ],
  ...[
    'lively',
    'lucky',
    'mild',
    'neat',
    'noble',
    'plain',
    'proud',
    'quick',
    'quiet',
    'rapid',
    'round',
    'silver',
  ],
  ...['small', 'sunny', 'swift', 'tidy', 'warm', 'wide', 'wise', 'young'],
] as const
const SECOND = [
  ...[
    'badger',
    'birch',
    'brook',
    'cedar',
    'crane',
    'falcon',
    'fern',
    'finch',
    'fox',
    'harbor',
    'hare',
    'hazel',
  ],
  ...['heron', 'ibis', 'lark', 'lynx', 'maple', 'meadow', 'otter', 'owl', 'pine', 'raven', 'river', 'robin'],
  ...['seal', 'stork', 'swan', 'thrush', 'tulip', 'walnut', 'willow', 'wren'],
] as const

/** An id that a person can read out, and that no other session has: `quiet-otter-20261120-1554-k3f9`. */
export function newSessionId(now = new Date()): string {
  const [date, time] = now.toISOString().split('T') as [string, string]
  const digits = `${date.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}`
  const end = randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0')
  return `${FIRST[randomInt(FIRST.length)]}-${SECOND[randomInt(SECOND.length)]}-${digits}-${end}`
}
