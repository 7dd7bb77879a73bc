import { openDatabase } from '../lib/adapters/local/database.ts'
import { createTokenStore } from '../lib/adapters/local/token-store.ts'
import { issueToken } from '../lib/adapters/tokens.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import { Tenant } from '../lib/core/job.ts'
import type { TokenStore } from '../lib/core/ports.ts'
import { defaultDataDir } from './options.ts'

// What an administrator does from the CLI, which itself knows no stores. Tokens are those of a data folder or, with
// `stack` or `table`, of a deployment in AWS.

export { getModel, listModels } from '../lib/adapters/whisper/models.ts'
export { doctor } from './doctor.ts'
export { defaultDataDir } from './options.ts'

export interface TokenView {
  readonly tokenId: string
  readonly tenant: string
  readonly name: string
  /** ISO 8601. */
  readonly createdAt: string
}

export interface TokensOf {
  /** Data folder of a one-machine service. */
  readonly data?: string
  /** CloudFormation stack of a deployment in AWS: its service stack. */
  readonly stack?: string | undefined
  /** DynamoDB table of a deployment in AWS. */
  readonly table?: string | undefined
  /** Where stack or table is; left out: the region of environment or profile. */
  readonly region?: string | undefined
}

export interface MadeToken {
  readonly token: string
  readonly tokenId: string
  readonly tenant: string
  readonly name: string
  /** What to log in to, where a stack says it. */
  readonly url?: string
}

/** Makes a token for `tenant`. Works while the service runs. */
export async function createToken({
  tenant,
  name,
  ...where
}: TokensOf & {
  tenant: string
  name: string
}): Promise<MadeToken> {
  if (!Tenant.safeParse(tenant).success) {
    throw new VerbatimError(
      'bad-request',
      'A tenant is written in lower-case letters, digits and dashes, at most 63.',
    )
  }
  return withTokens(where, async (tokens, url) => {
    const { token, record } = await issueToken({ tokens, clock: Date.now }, tenant, name)
    return { token, tokenId: record.tokenId, tenant, name, ...(url && { url }) }
  })
}

export const listTokens = (where: TokensOf): Promise<TokenView[]> =>
  withTokens(where, async (tokens) =>
    (await tokens.list()).map(({ tokenId, tenant, name, createdAt }) => ({
      ...{ tokenId, tenant, name, createdAt: new Date(createdAt).toISOString() },
    })),
  )

/** True if there was such a token. */
export const revokeToken = ({ tokenId, ...where }: TokensOf & { tokenId: string }): Promise<boolean> =>
  withTokens(where, (tokens) => tokens.remove(tokenId))

async function withTokens<T>(
  { data = defaultDataDir(), stack, table, region }: TokensOf,
  use: (tokens: TokenStore, url?: string) => Promise<T>,
): Promise<T> {
  const deployment = stack !== undefined ? { stack } : table !== undefined ? { table } : undefined
  if (deployment) {
    // Only now: loading the SDK takes longer than most commands do.
    const { adminTokens } = await import('../lib/adapters/aws/admin.ts')
    const { tokens, url } = await adminTokens(deployment, region)
    return use(tokens, url)
  }
  const db = openDatabase(data)
  try {
    return await use(createTokenStore(db))
  } finally {
    db.close()
  }
}
