import type { SQSBatchResponse } from 'aws-lambda'
import * as z from 'zod'
import { runPump } from '../../lambdas/events/pump.ts'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { createLog } from '../../lib/adapters/log.ts'
import type { WorkerVariables } from '../../lib/infra/constructs/worker-variables.ts'
import { check, checkContainer, checkWords, eventually, sampleBytes, tell } from './check.ts'
import { type Container, start } from './container.ts'
import { startAgent } from './ecs-agent.ts'
import { startRuntimeApi } from './runtime-api.ts'

// workers.ts lambda|poller <image>: the worker's images. The Lambda is driven through its Runtime API as in AWS. With
// AWS_ENDPOINT_URL both work on a real table, bucket and queue there, fed by a real upload and the event it causes.

const [kind, image] = process.argv.slice(2) as ['lambda' | 'poller', string]
const { AWS_ENDPOINT_URL } = readEnvironment(z.object({ AWS_ENDPOINT_URL: z.string().optional() }))

/** The endpoint and the stand-in listen on this machine's loopback. */
const HOST_NETWORK = ['--network', 'host']

/** No more than what a worker can't do without, as a deployment tells it; nothing of it is there. */
const VARIABLES: WorkerVariables = {
  ...{ STAGE: 'test', TABLE_NAME: 'none', BUCKET_NAME: 'none', MODEL: 'mini', THREADS: '2', COMPUTE: 'cpu' },
  ...{ MAX_UPLOAD_BYTES: '1000000', MAX_DURATION_MS: '3600000', RECORD_DAYS: '1' },
  WORK_QUEUE_URL: 'http://127.0.0.1:9/000000000000/work',
  ...{ SHARDS_QUEUE_URL: 'http://127.0.0.1:9/000000000000/shards', SHARD_MS: '75000' },
  DELIVERIES_QUEUE_URL: 'http://127.0.0.1:9/000000000000/deliveries.fifo',
}
const NOWHERE = { ...VARIABLES, AWS_REGION: 'us-east-1' }
const LIVE = { LIVE_QUEUE_URL: 'http://127.0.0.1:9/000000000000/live.fifo', LIVE_IDLE_MS: '120000' }

async function withContainer(
  env: Record<string, string>,
  use: (container: Container) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const container = await start({ image, options: HOST_NETWORK, env, args })
  try {
    await use(container)
  } catch (error) {
    process.stderr.write(`${await container.logs()}\n`)
    throw error
  } finally {
    await container.remove()
  }
}

function isObject(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object'
  } catch {
    return false
  }
}

/** What CloudWatch would make metrics of. */
async function checkMetrics(container: Container): Promise<void> {
  const lines = (await container.logs()).split('\n').filter((line) => line.includes('"_aws"'))
  check(lines.length > 0 && lines.every(isObject), `${lines.length} lines of metrics on its stdout`)
}

/** What holds without AWS. */
async function lambdaAlone(): Promise<void> {
  const api = await startRuntimeApi()
  await withContainer({ ...NOWHERE, AWS_LAMBDA_RUNTIME_API: api.address }, async (container) => {
    const begin = performance.now()
    const empty = await api.invoke({ Records: [] })
    tell(`the first invocation is answered ${Math.round(performance.now() - begin)} ms after the start`)
    check(
      JSON.stringify(empty) === '{"kind":"response","body":{"batchItemFailures":[]}}',
      'an empty batch is answered as such',
    )
    const odd = await api.invoke({})
    check(odd.kind === 'error', 'an event that is none of SQS is answered with an error')
    check((await api.invoke({ Records: [] })).kind === 'response', 'and the next invocation goes on')
    await checkContainer(container, image)
  })
  const live = ['/app/main.mjs', 'live']
  const run = { ...NOWHERE, ...LIVE, AWS_LAMBDA_RUNTIME_API: api.address }
  await withContainer(
    run,
    async () => {
      const empty = await api.invoke({ Records: [] })
      check(empty.kind === 'response', 'with the word `live` it takes sessions')
    },
    live,
  )
  await withContainer({ AWS_LAMBDA_RUNTIME_API: api.address }, async () => {
    const { body } = await api.failedStart
    const { errorMessage } = body as { errorMessage: string }
    check(errorMessage.includes('TABLE_NAME'), 'a start without its environment is told as a failed start')
  })
  await api.stop()
}

async function pollerAlone(): Promise<void> {
  await withContainer({ ...NOWHERE, ...LIVE, TAKES: 'both' }, async (container) => {
    await eventually('the engine', async () =>
      (await container.exec('worker-health')).code === 0 ? true : undefined,
    )
    tell('starts its engine and is healthy then, though both queues are out of reach')
    await checkContainer(container, image)
    const lines = (await container.logs()).split('\n').filter((line) => line !== '')
    check(lines.every(isObject), `its log is ${lines.length} lines of JSON and nothing else`)
    const { ms, exitCode } = await container.stop()
    check(exitCode === 0 && ms < 15_000, `SIGTERM: exit code ${exitCode} after ${ms} ms`)
  })
}

async function withAws(): Promise<void> {
  const { deploy } = await import('../../test/aws/deployment.ts')
  const aws = await deploy()
  try {
    const {
      ENGINE_PATH: _,
      ENGINE_VERSION: __,
      MODEL_PATH: ___,
      SCRATCH_DIR: ____,
      ...told
    } = aws.workerVariables
    const env = { ...told, AWS_ENDPOINT_URL: AWS_ENDPOINT_URL!, AWS_REGION: 'us-east-1', LOG_LEVEL: 'info' }
    const upload = async (sample: 'meeting60' | 'meeting180') => {
      const bytes = sampleBytes(sample)
      const request = { filename: 'talk.wav', sizeBytes: bytes.length, language: 'en' }
      const { body: plan } = await aws.call('upload', { body: JSON.stringify(request) })
      const put = await fetch(plan.uploadUrl, { method: 'PUT', headers: plan.headers, body: bytes })
      check(put.ok, `${sample} is uploaded to the bucket`)
      return plan.jobId as string
    }
    const text = async (jobId: string) => {
      const job = await eventually(`job ${jobId}`, async () => {
        const { body } = await aws.call('status', { jobId })
        if (body.status === 'FAILED') throw new Error(`the job failed: ${JSON.stringify(body.error)}`)
        return body.status === 'COMPLETED' ? body : undefined
      })
      return (await fetch(job.downloads.txt)).text()
    }
    const working = async (jobId: string) =>
      eventually('the job to begin', async () =>
        (await aws.call('status', { jobId })).body.progress > 0 ? true : undefined,
      )
    if (kind === 'lambda') await lambdaInAws()
    else await pollerInAws()

    async function lambdaInAws() {
      const api = await startRuntimeApi()
      const stop = new AbortController()
      const replies: SQSBatchResponse[] = []
      await withContainer({ ...env, AWS_LAMBDA_RUNTIME_API: api.address }, async (container) => {
        const pump = runPump({
          ...{ name: 'work', queue: aws.work.queue, lanes: 1, visibilityMs: 60_000, stop: stop.signal },
          log: createLog({ level: 'error' }),
          // The reserve is 30 s: a recording of three minutes does not fit into one invocation.
          handler: async (event) => {
            const { kind: outcome, body } = await api.invoke(event, 33_000)
            if (outcome === 'error') throw new Error(JSON.stringify(body))
            replies.push(body as SQSBatchResponse)
            return body as SQSBatchResponse
          },
        })
        try {
          checkWords('meeting60', await text(await upload('meeting60')))
          checkWords('meeting180', await text(await upload('meeting180')))
          await checkMetrics(container)
        } finally {
          stop.abort()
          await pump
        }
      })
      const failures = replies.flatMap(({ batchItemFailures }) => batchItemFailures)
      check(failures.length === 0, `${replies.length} invocations for two recordings, none of them cut off`)
      await api.stop()
    }

    async function pollerInAws() {
      let interrupted = ''
      const agent = await startAgent()
      await withContainer({ ...env, ECS_AGENT_URI: agent.url }, async (container) => {
        checkWords('meeting60', await text(await upload('meeting60')))
        await checkMetrics(container)
        await eventually('the end of the protection', async () => agent.told.includes(false) || undefined)
        check(agent.told.join() === 'true,false', 'it asks ECS not to be taken away while it works')
        interrupted = await upload('meeting180')
        await working(interrupted)
        const { ms, exitCode } = await container.stop()
        check(exitCode === 0 && ms < 20_000, `SIGTERM in a job: exit code ${exitCode} after ${ms} ms`)
      })
      agent.stop()
      await withContainer(env, async () => {
        checkWords('meeting180', await text(interrupted))
        tell('another worker has ended the job that the first gave back')
      })
    }
  } finally {
    await aws.dispose()
  }
}

await (kind === 'lambda' ? lambdaAlone() : pollerAlone())
if (AWS_ENDPOINT_URL) await withAws()
else {
  process.stdout.write(
    `  --  SKIPPED: a recording on its way from the bucket through the queue; that needs AWS_ENDPOINT_URL\n`,
  )
}
process.exit(0)
