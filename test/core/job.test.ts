import { describe, expect, it } from '@jest/globals'
import { ERRORS, toVerbatimError, VerbatimError } from '../../lib/core/errors.ts'
import { isTerminal, MOVES, STATUSES } from '../../lib/core/job.ts'
import { parseUploadKey, prefixesOf, transcriptKey, uploadKey, workKey } from '../../lib/core/keys.ts'
import { languageCode } from '../../lib/core/languages.ts'

const ref = { tenant: 'acme', jobId: '01JD0000000000000000000000' }

describe('job states', () => {
  it('lets nothing follow a final state', () => {
    expect(STATUSES.filter(isTerminal)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'])
  })

  it('reaches every state from UPLOADING', () => {
    const reached = new Set(['UPLOADING'])
    for (const status of STATUSES)
      if (reached.has(status)) for (const next of MOVES[status]) reached.add(next)
    expect([...reached].sort()).toEqual([...STATUSES].sort())
  })
})

describe('object keys', () => {
  it('reads back the upload keys it makes', () => {
    expect(parseUploadKey(uploadKey(ref))).toEqual(ref)
  })

  it.each([
    'uploads/acme/../other/01JD0000000000000000000000',
    'uploads/acme/01JD0000000000000000000000/x',
    'uploads/acme/01jd0000000000000000000000',
    'uploads//01JD0000000000000000000000',
    'uploads/ac me/01JD0000000000000000000000',
    'uploads/acme/',
    'transcripts/acme/01JD0000000000000000000000',
    '',
    'uploads/ACME/01JD0000000000000000000000',
    'uploads/..%2fother/01JD0000000000000000000000',
  ])('trusts no crafted key: %j', (key) => {
    expect(parseUploadKey(key)).toBeUndefined()
  })

  it('keeps every key of a job under the prefixes that erasing looks at', () => {
    for (const key of [uploadKey(ref), workKey(ref, '0-0-28000.json'), transcriptKey(ref, 'vtt')]) {
      expect(prefixesOf(ref).some((prefix) => key.startsWith(prefix))).toBe(true)
    }
  })
})

describe('languages', () => {
  it.each([
    ['en', 'en'],
    ['EN', 'en'],
    ['German', 'de'],
    ['en-GB', 'en'],
    ['zh_Hant', 'zh'],
    [' fr ', 'fr'],
    ['yue', 'yue'],
    ['haw', 'haw'],
  ])('knows %j as %j', (text, code) => {
    expect(languageCode(text)).toBe(code)
  })

  it.each(['', 'xx', 'klingon', '__proto__', 'constructor', 'e'])('does not know %j', (text) => {
    expect(languageCode(text)).toBeUndefined()
  })
})

describe('errors', () => {
  it('gives every code a hint', () => {
    for (const { hint } of Object.values(ERRORS)) expect(hint.length).toBeGreaterThan(10)
  })

  it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('takes %s for a full disk, even as a cause', (code) => {
    const thrown = new Error('write failed', { cause: Object.assign(new Error('x'), { code }) })
    expect(toVerbatimError(thrown).code).toBe('disk-full')
  })

  it('keeps an error of the table and its own hint', () => {
    const error = new VerbatimError('bad-audio', 'x', { hint: 'y' })
    expect(toVerbatimError(error)).toBe(error)
    expect(error.hint).toBe('y')
  })

  it.each([undefined, null, 'text', 7, new Error('boom')])(
    'calls what nobody foresaw internal: %p',
    (thrown) => {
      expect(toVerbatimError(thrown).code).toBe('internal')
    },
  )
})
