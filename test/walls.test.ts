import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

// The walls between core, adapters, hosts and clients are lint rules; a rule that has stopped to work says nothing.
// So each wall is run into here, with the repository's own settings.

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Where an import stands, and what it names. */
const REFUSED = [
  ['lib/core/batch/a.ts', '../../adapters/local/queue.ts'],
  ['lib/core/a.ts', '../adapters/env.ts'],
  ['lib/core/a.ts', '../../lambdas/api/http.ts'],
  ['lib/core/a.ts', '../../local/options.ts'],
  ['lib/core/a.ts', '../../client-cli/client.ts'],
  ['lib/core/a.ts', '../infra/stages.ts'],
  ['lib/core/a.ts', 'node:fs'],
  ['lib/core/a.ts', 'node:fs/promises'],
  ['lib/core/a.ts', 'fs'],
  ['lib/core/a.ts', '@aws-sdk/client-s3'],
  ['lib/core/a.ts', 'aws-cdk-lib'],
  ['lib/core/a.ts', 'aws-cdk-lib/aws-s3'],
  ['lib/core/a.ts', 'aws-lambda'],
  ['lib/core/a.ts', '@middy/core'],
  ['lib/core/a.ts', 'ulid'],
  ['lib/core/a.ts', 'a-package-that-comes-tomorrow'],
  ['lib/adapters/local/a.ts', 'aws-cdk-lib'],
  ['lib/adapters/aws/a.ts', 'aws-cdk-lib/aws-s3'],
  ['lib/adapters/a.ts', '../../client-cli/client.ts'],
  ['lambdas/api/a.ts', 'aws-cdk-lib'],
  ['lambdas/api/a.ts', 'aws-cdk-lib/aws-s3'],
  ['lambdas/events/a.ts', 'constructs'],
  ['lambdas/events/a.ts', '../../lib/infra/stages.ts'],
  ['local/a.ts', 'aws-cdk-lib'],
  ['local/a.ts', '../client-cli/client.ts'],
  ['client-cli/a.ts', '../lib/adapters/env.ts'],
  ['client-cli/commands/a.ts', '../../lib/adapters/local/database.ts'],
  ['client-cli/a.ts', '../lib/core/batch/work.ts'],
  ['client-cli/a.ts', '../lib/core/ports.ts'],
  ['client-cli/a.ts', '../lambdas/api/http.ts'],
  ['client-cli/a.ts', 'aws-cdk-lib'],
] as const

const ALLOWED = [
  ['lib/core/a.ts', 'zod'],
  ['lib/core/batch/a.ts', '../job.ts'],
  ['lib/core/batch/a.ts', './lease.ts'],
  ['lib/core/batch/a.ts', '../audio/voice.ts'],
  ['lib/adapters/local/a.ts', 'node:fs/promises'],
  ['lib/adapters/local/a.ts', '../../core/ports.ts'],
  ['lib/adapters/aws/a.ts', '@aws-sdk/client-s3'],
  ['lambdas/api/a.ts', '../../lib/core/batch/work.ts'],
  ['lambdas/api/a.ts', '../../lib/adapters/tokens.ts'],
  ['local/a.ts', '../lambdas/api/http.ts'],
  ['client-cli/commands/a.ts', '../../lib/core/contract.ts'],
  ['client-cli/a.ts', '../lib/core/errors.ts'],
] as const

/** The ways to import. */
const WAYS = {
  import: (from: string) => `import { a } from '${from}'\n\nexport const b = a\n`,
  're-export': (from: string) => `export { a } from '${from}'\n`,
  'type import': (from: string) => `import type { A } from '${from}'\n\nexport type B = A\n`,
  'import()': (from: string) => `export const a = () => import('${from}')\n`,
} as const
type Way = keyof typeof WAYS
const WAY_NAMES = Object.keys(WAYS) as Way[]

let folder: string
/** Files that lint refuses. */
let refused: Set<string>

/** A file of its own for each case. */
const fileOf = (way: Way, place: string, from: string) =>
  place.replace('a.ts', `${way}-${from}.ts`.replace(/[^\w.]+/g, '_'))

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-walls-'))
  copyFileSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'))
  for (const [place, from] of [...REFUSED, ...ALLOWED]) {
    for (const way of WAY_NAMES) {
      const file = join(folder, fileOf(way, place, from))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, WAYS[way](from))
    }
  }
  refused = new Set(lint().map(({ location }) => location.path))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Diagnostic {
  readonly category: string
  readonly location: { readonly path: string }
}

/** What lint has to say about imports. */
function lint(): Diagnostic[] {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome')
  const args = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', '.']
  let text: string
  try {
    text = execFileSync(process.execPath, [biome, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    // It finds something, so it exits with 1.
    text = (error as { stdout: string }).stdout
  }
  const { diagnostics } = JSON.parse(text) as { diagnostics: Diagnostic[] }
  return diagnostics.filter(({ category }) => /noRestrictedImports|useNodejsImportProtocol/.test(category))
}

describe('lint', () => {
  it.each(REFUSED)('refuses that %s imports %s', (place, from) => {
    expect(WAY_NAMES.filter((way) => !refused.has(fileOf(way, place, from)))).toEqual([])
  })

  it.each(ALLOWED)('allows that %s imports %s', (place, from) => {
    expect(WAY_NAMES.filter((way) => refused.has(fileOf(way, place, from)))).toEqual([])
  })
})
