import * as z from 'zod'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { type Handler, serve } from './runtime.ts'

// The program of the container Lambdas: `main.mjs` hears recordings, `main.mjs live` sessions.

const { AWS_LAMBDA_RUNTIME_API } = readEnvironment(z.object({ AWS_LAMBDA_RUNTIME_API: z.string() }))
const load = async (): Promise<{ handler: Handler }> =>
  process.argv[2] === 'live' ? import('../../lambdas/aws/live.ts') : import('../../lambdas/aws/work.ts')
await serve(AWS_LAMBDA_RUNTIME_API, async () => (await load()).handler)
