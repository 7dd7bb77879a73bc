import { SignatureV4 } from '@smithy/signature-v4'
import * as z from 'zod'
import { VerbatimError } from '../../core/errors.ts'
import { readEnvironment } from '../env.ts'
import { Sha256 } from './cache-token.ts'
import { documentClient } from './clients.ts'

/** A secret that was changed is used after so long. */
const FRESH_MS = 5 * 60_000
const TIMEOUT_MS = 5000

const Environment = z.object({ AWS_ENDPOINT_URL: z.string().optional() })

const Reply = z.object({
  Parameters: z.array(z.object({ Name: z.string(), Value: z.string() })),
})

/**
 * Reads these parameters below a path of the Systems Manager's Parameter Store, decrypted. What is not there is left
 * out. Asked again within some minutes it gives what it has. Fails with `unavailable`.
 *
 * One request, signed here: a client of its own would be another dependency for the only call that is made of it.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
 */
export function readParameters<N extends string>(
  path: string,
  names: readonly N[],
): () => Promise<Partial<Record<N, string>>> {
  let known: { readonly values: Partial<Record<N, string>>; readonly at: number } | undefined
  return async () => {
    if (known && Date.now() - known.at < FRESH_MS) return known.values
    const { Parameters } = await ask({ Names: names.map((name) => path + name), WithDecryption: true })
    const found = new Map(Parameters.map(({ Name, Value }) => [Name, Value]))
    const values = Object.fromEntries(
      names.flatMap((name) => (found.has(path + name) ? [[name, found.get(path + name)]] : [])),
    ) as Partial<Record<N, string>>
    known = { values, at: Date.now() }
    return values
  }
}

async function ask(body: object): Promise<z.infer<typeof Reply>> {
  const { config } = documentClient()
  const region = await config.region()
  const { AWS_ENDPOINT_URL } = readEnvironment(Environment)
  const url = new URL(AWS_ENDPOINT_URL || `https://ssm.${region}.amazonaws.com`)
  const text = JSON.stringify(body)
  const signer = new SignatureV4({
    ...{ service: 'ssm', region, credentials: config.credentials, sha256: Sha256 },
  })
  const signed = await signer.sign({
    ...{
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port && { port: Number(url.port) }),
      path: '/',
      query: {},
      body: text,
    },
    headers: {
      ...{ host: url.host, 'content-type': 'application/x-amz-json-1.1' },
      'x-amz-target': 'AmazonSSM.GetParameters',
    },
  })
  const { host: _, ...headers } = signed.headers
  // The cause is left out: it may quote what was sent.
  const reply = await fetch(url, {
    ...{ method: 'POST', headers, body: text, signal: AbortSignal.timeout(TIMEOUT_MS) },
  }).catch(() => undefined)
  if (!reply?.ok) throw new VerbatimError('unavailable', 'The Parameter Store does not give the secrets.')
  return Reply.parse(await reply.json())
}
