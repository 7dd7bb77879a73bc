import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { type Client, completed, createClient } from '../client-cli/client.ts'
import { toVerbatimError, VerbatimError } from '../lib/core/errors.ts'
import { FORMATS } from '../lib/core/job.ts'
import { Transcript } from '../lib/core/transcript/shape.ts'
import { defaultOptions } from './options.ts'
import { type Service, startService } from './service.ts'

// npm run demo: one recording through the whole service, with the CLI's own client, and everything stopped after it.

const SAMPLE = fileURLToPath(new URL('../models/mini/samples/meeting60.wav', import.meta.url))

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const tell = (text: string): void => void process.stderr.write(`${text}\n`)

const command = new Command('npm run demo --')
  .description('Transcribes a recording through the whole service on this machine, then stops it.')
  .option('--model <name>', 'model by name or path', defaultOptions().model)
  .option('--file <recording>', 'a recording of your own', SAMPLE)
  .option('--out <folder>', 'where the transcripts go', 'verbatim-demo')
  .parse()
const { model, file, out } = command.opts<{ model: string; file: string; out: string }>()

async function main(signal: AbortSignal): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'verbatim-demo-'))
  let service: Service | undefined
  try {
    const options = { ...defaultOptions(), port: 0, data, model, drainMs: 0, logLevel: 'error' as const }
    service = await startService(options, { signal, onProgress: (line) => showLine(line) })
    endLine()
    tell(`The service listens on ${service.url} (model ${model}).`)
    await transcribe(createClient({ url: service.url, token: service.token! }), signal)
  } finally {
    endLine()
    await service?.stop()
    await rm(data, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function transcribe(client: Client, signal: AbortSignal): Promise<void> {
  const begin = performance.now()
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const jobId = await client.upload(
    file,
    {},
    {
      signal,
      onProgress: (sent, total) => showLine('uploading', percent(sent / total)),
    },
  )
  const job = await client.wait(jobId, {
    signal,
    onStatus: ({ status, progress }) => showLine(status.toLowerCase(), percent(progress)),
  })
  endLine()
  const { durationMs } = completed(job)
  const paths = await download(client, jobId, signal)
  tell('\nThe files:')
  for (const path of paths) say(path)
  const seconds = (performance.now() - begin) / 1000
  tell(
    `\n${(durationMs / 1000).toFixed(1)} s of audio in ${seconds.toFixed(1)} s, upload and download included.`,
  )
}

async function download(client: Client, jobId: string, signal: AbortSignal): Promise<string[]> {
  await mkdir(out, { recursive: true })
  const paths: string[] = []
  for (const format of FORMATS) {
    const bytes = await client.download(jobId, format, signal)
    if (format === 'json') printTranscript(Transcript.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))))
    const path = resolve(out, `${basename(file, extname(file))}.${format}`)
    await writeFile(path, bytes)
    paths.push(path)
  }
  return paths
}

function printTranscript({ segments, language }: Transcript): void {
  tell(`\nLanguage: ${language?.code ?? 'none'}\n`)
  for (const { startMs, endMs, speaker, text } of segments) {
    say(`[${time(startMs)} – ${time(endMs)}] ${speaker ? `${speaker}: ` : ''}${text}`)
  }
}

const time = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${((ms % 60_000) / 1000).toFixed(2).padStart(5, '0')}`

/** On a terminal one line that changes; elsewhere a line for each new phase. */
let shown = ''
function showLine(phase: string, detail = ''): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${phase} ${detail}`)
  else if (phase !== shown) tell(phase)
  shown = phase
}
function endLine(): void {
  if (shown && process.stderr.isTTY) process.stderr.write('\n')
  shown = ''
}

const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new VerbatimError('cancelled', 'Interrupted.')))
process.once('SIGTERM', () => stop.abort(new VerbatimError('cancelled', 'Interrupted.')))
main(stop.signal).catch((error: unknown) => {
  const { code, message, hint, traits } = toVerbatimError(error)
  tell(stop.signal.aborted ? 'Stopped.' : `${code}: ${message}\n${hint}`)
  if (code === 'internal') tell(error instanceof Error ? (error.stack ?? '') : String(error))
  process.exitCode = stop.signal.aborted ? 130 : traits.exit
})
