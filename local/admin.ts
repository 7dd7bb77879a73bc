import { openDatabase } from '../lib/adapters/local/database.ts'
import { createTokenStore } from '../lib/adapters/local/token-store.ts'
import { issueToken } from '../lib/adapters/tokens.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import { Tenant } from '../lib/core/job.ts'
import type { TokenStore } from '../lib/core/ports.ts'
import { defaultDataDir } from './options.ts'

// What an administrator of a one-machine service does from the CLI, which itself knows no stores.

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

/** Makes a token for `tenant`. Works while the service runs. */
export async function createToken({
  data = defaultDataDir(),
  tenant,
  name,
}: {
  data?: string
  tenant: string
  name: string
}): Promise<{ token: string; tokenId: string; tenant: string; name: string }> {
  if (!Tenant.safeParse(tenant).success) {
    throw new VerbatimError(
      'bad-request',
      'A tenant is written in lower-case letters, digits and dashes, at most 63.',
    )
  }
  return withTokens(data, async (tokens) => {
    const { token, record } = await issueToken({ tokens, clock: Date.now }, tenant, name)
    return { token, tokenId: record.tokenId, tenant, name }
  })
}

export const listTokens = ({ data = defaultDataDir() }: { data?: string }): Promise<TokenView[]> =>
  withTokens(data, async (tokens) =>
    (await tokens.list()).map(({ tokenId, tenant, name, createdAt }) => ({
      ...{ tokenId, tenant, name, createdAt: new Date(createdAt).toISOString() },
    })),
  )

/** True if there was such a token. */
export const revokeToken = ({
  data = defaultDataDir(),
  tokenId,
}: {
  data?: string
  tokenId: string
}): Promise<boolean> => withTokens(data, (tokens) => tokens.remove(tokenId))

async function withTokens<T>(data: string, use: (tokens: TokenStore) => Promise<T>): Promise<T> {
  const db = openDatabase(data)
  try {
    return await use(createTokenStore(db))
  } finally {
    db.close()
  }
}
