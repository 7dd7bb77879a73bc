import * as z from 'zod'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { serve } from './runtime.ts'

// The program of the container Lambda.

const { AWS_LAMBDA_RUNTIME_API } = readEnvironment(z.object({ AWS_LAMBDA_RUNTIME_API: z.string() }))
await serve(AWS_LAMBDA_RUNTIME_API, async () => (await import('../../lambdas/aws/work.ts')).handler)
