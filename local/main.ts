import { toVerbatimError } from '../lib/core/errors.ts'
import { readOptions } from './options.ts'
import { startService } from './service.ts'

// npm start: runs the service until Ctrl-C or SIGTERM, which let running jobs finish or give them back.

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const tell = (text: string): void => void process.stderr.write(`${text}\n`)

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  const starting = new AbortController()
  let stop = async (): Promise<void> => starting.abort()
  let asked = 0
  const onSignal = () => {
    asked++
    if (asked > 1) process.exit(130)
    tell(
      `Stopping; running jobs get ${options.drainMs / 1000} s, then wait for the next start. Again to stop at once.`,
    )
    void stop().then(() => process.exit(0))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)

  const service = await startService(options, { signal: starting.signal, onProgress: (line) => tell(line) })
  stop = service.stop
  say(`Verbatim listens on ${service.url} (model ${options.model}, data in ${options.data})`)
  if (service.token) say(`Token of the tenant "default", shown this once: ${service.token}`)
  say(`Try: npx verbatim transcribe models/mini/samples/meeting60.wav`)
}

main().catch((error: unknown) => {
  const { code, message, hint, traits } = toVerbatimError(error)
  tell(`${code}: ${message}\n${hint}`)
  if (code === 'internal') tell(error instanceof Error ? (error.stack ?? '') : String(error))
  process.exit(traits.exit)
})
