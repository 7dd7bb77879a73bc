import { check, checkContainer, checkWords, eventually, sampleBytes, tell } from './check.ts'
import { start, volume } from './container.ts'
import { checkFormats, checkLive } from './media.ts'

// service.ts <image>: the one-machine service as a user starts it. Recordings of many kinds and a live session go in
// through the API and their words come out; SIGTERM ends it within seconds, also in the middle of a job; what was accepted is there after a restart.

const image = process.argv[2]!
const PORT = 28787
const url = `http://127.0.0.1:${PORT}`

interface Plan {
  readonly jobId: string
  readonly uploadUrl: string
  readonly headers: Record<string, string>
}

interface Job {
  readonly status: string
  readonly error?: unknown
  readonly downloads?: { readonly txt: string }
}

const data = await volume()
const service = await start({
  image,
  options: ['--publish', `127.0.0.1:${PORT}:8787`, '--volume', `${data.name}:/data`],
})

const healthy = () =>
  eventually('GET /health', () =>
    fetch(`${url}/health`).then(
      (reply) => (reply.ok ? true : undefined),
      async () => {
        if (await service.isRunning()) return undefined
        throw new Error(`the service ended: ${await service.logs()}`)
      },
    ),
  )

async function run(): Promise<void> {
  const begin = performance.now()
  await healthy()
  tell(`answers ${Math.round(performance.now() - begin)} ms after it was started`)
  const { stdout: token } = await service.exec('cat', '/data/token')
  const call = <T>(method: string, path: string, body?: object): Promise<T> =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    }).then((reply) => reply.json() as Promise<T>)
  const upload = async (sample: 'meeting60' | 'meeting180') => {
    const bytes = sampleBytes(sample)
    const plan = await call<Plan>('POST', '/upload', {
      filename: 'talk.wav',
      sizeBytes: bytes.length,
      language: 'en',
    })
    const put = await fetch(plan.uploadUrl, { method: 'PUT', headers: plan.headers, body: bytes })
    check(put.ok, `${sample} is uploaded`)
    return plan.jobId
  }
  const status = (jobId: string) => call<Job>('GET', `/status/${jobId}`)
  const completed = (jobId: string) =>
    eventually(`job ${jobId}`, async () => {
      const job = await status(jobId)
      if (job.status === 'FAILED') throw new Error(`the job failed: ${JSON.stringify(job.error)}`)
      return job.status === 'COMPLETED' ? job : undefined
    })
  const words = async ({ downloads }: Job) => (await fetch(downloads!.txt)).text()

  const first = await upload('meeting60')
  checkWords('meeting60', await words(await completed(first)))
  await checkContainer(service, image)
  const cli = await service.exec(
    'verbatim',
    'token',
    'create',
    '--tenant',
    'acme',
    '--name',
    'test',
    '--json',
  )
  check(cli.code === 0, 'the administrator makes a token with the command line in the image')
  await checkLive({ url, token })
  await checkFormats({ url, token })

  const second = await upload('meeting180')
  await eventually('the job to begin', async () =>
    (await status(second)).status === 'PROCESSING' ? true : undefined,
  )
  const { ms, exitCode } = await service.stop()
  check(exitCode === 0 && ms < 30_000, `SIGTERM in the middle of a job: exit code ${exitCode} after ${ms} ms`)
  await service.startAgain()
  await healthy()
  check((await status(first)).status === 'COMPLETED', 'the first job is still there after the restart')
  checkWords('meeting180', await words(await completed(second)))
  const idle = await service.stop()
  check(
    idle.exitCode === 0 && idle.ms < 5000,
    `SIGTERM at rest: exit code ${idle.exitCode} after ${idle.ms} ms`,
  )
}

try {
  await run()
} catch (error) {
  process.stderr.write(`${await service.logs()}\n`)
  throw error
} finally {
  await service.remove()
  await data.remove()
}
