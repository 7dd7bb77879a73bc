import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { ERRORS } from '../../lib/core/errors.ts'

const doc = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')

describe('docs/cli.md', () => {
  it('lists every error code with the exit code and the advice of the table in lib/core/errors.ts', () => {
    const rows = [...doc.matchAll(/^\| (\d+) +\| `([a-z-]+)` +\| (.+?) +\|$/gm)].map(
      ([, exit, code, hint]) => [code, Number(exit), hint?.replaceAll('`', '')],
    )
    const table = Object.entries(ERRORS).map(([code, { exit, hint }]) => [
      code,
      exit,
      hint.replaceAll('`', ''),
    ])
    expect(rows.sort()).toEqual(table.sort())
  })
})
