import { type Command, InvalidArgumentError, Option } from 'commander'
import { VerbatimError } from '../../lib/core/errors.ts'
import type { SessionView } from '../../lib/core/live/contract.ts'
import { SessionId } from '../../lib/core/session.ts'
import { completed } from '../client.ts'
import type { Context, Run } from '../context.ts'
import {
  type DeliveryOptions,
  deliver,
  deliveredJson,
  deliveryOf,
  type Output,
  planOutputs,
} from '../delivery.ts'
import { type Interrupted, UsageError } from '../failure.ts'
import { createFollower } from '../live/follower.ts'
import { openInput } from '../live/input.ts'
import { createScreen } from '../live/screen.ts'
import { newSessionId } from '../live/session-id.ts'
import { readSpeakers } from '../live/speakers.ts'
import { streamSound } from '../live/stream.ts'
import * as parse from '../parsers.ts'
import { reportFailure } from '../report.ts'
import { withDeliveryOptions } from './options.ts'

type Flags = DeliveryOptions & {
  readonly mic?: boolean
  readonly device?: string
  readonly session?: string
  readonly language?: string
  readonly chunk: number
  readonly speed?: number
  readonly speakers?: string
  readonly contentType?: string
  readonly drafts?: boolean
  readonly wait: boolean
  readonly timeout?: number
}

export function addLive(program: Command, run: Run): void {
  const command = program
    .command('live')
    .description('stream sound to a session and show its captions as they come')
    .argument('[file]', 'a recording, or - for stdin')
    .option('--mic', 'the microphone (through ffmpeg)')
    .option('--device <name>', 'which microphone, as ffmpeg names it')
    .addOption(new Option('--session <id>', 'id of the session (default: a random one)').argParser(sessionId))
    .addOption(
      new Option('-l, --language <code>', 'spoken language; left out: detected').argParser(parse.language),
    )
    .addOption(
      new Option('--chunk <duration>', 'how much sound a chunk holds')
        .default(3000, '3s')
        .argParser(chunkLength),
    )
    .addOption(
      new Option('--speed <n>', 'times as fast as it was spoken, or max (default: 1)').argParser(speedOf),
    )
    .option('--speakers <names.jsonl>', 'who speaks when: lines of {"at": seconds, "name": "…"}')
    .option('--content-type <type>', 'of sound without a header: "audio/pcm;rate=16000"')
    .option('--drafts', 'with --json: print drafts too, not only finals')
    .option('--no-wait', 'do not wait for the last words and the transcript')
  withDeliveryOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, flags: Flags) => {
      const given = ['format', 'out'].some((name) => command.getOptionValueSource(name) === 'cli')
      return run((context) => live(context, file, flags, given))
    })
}

const EXAMPLES = `
When all is sent, the session is closed, the whole recording is heard again, and -f or -o fetch that transcript.
The first Ctrl-C ends the sound and shows what is left; the second one ends at once.

Examples:
  verbatim live --mic
  verbatim live talk.wav --speed 4
  verbatim live meeting.webm --speakers names.jsonl -f json,srt -o out
  ffmpeg -i rtmp://studio/stream -f ogg -c:a libopus - | verbatim live -
  arecord -f S16_LE -r 16000 -t raw | verbatim live - --content-type 'audio/pcm;rate=16000'`

async function live(context: Context, file: string | undefined, flags: Flags, wantsFiles: boolean) {
  const { out, client, signal, env } = context
  if ((file === undefined) === (flags.mic !== true)) {
    throw new UsageError('Name one source: a file, - for stdin, or --mic.')
  }
  const speed = flags.speed ?? (flags.mic ? Number.POSITIVE_INFINITY : 1)
  if (flags.speakers !== undefined && speed !== 1 && !flags.mic) {
    throw new UsageError('--speakers needs real pace: names are told by the clock.', 'Leave --speed out.')
  }
  const speakers = flags.speakers === undefined ? [] : await readSpeakers(flags.speakers)
  const sessionId = flags.session ?? newSessionId()
  const name = file === undefined || file === '-' ? sessionId : file
  const outputs = wantsFiles ? planOutputs(deliveryOf(flags, context, false), [{ name, folder: '' }])[0]! : []
  if (flags.session !== undefined) await mustBeNew(context, sessionId)

  const from = file === undefined ? ('microphone' as const) : { path: file }
  const { contentType, device } = flags
  const command = env.VERBATIM_FFMPEG ?? 'ffmpeg'
  const input = await openInput({ from, stdin: context.stdin, command, contentType, device, stop: signal })
  out.say(`Session ${sessionId}`)
  const screen = createScreen(out, { drafts: flags.drafts === true, silent: flags.out === '-' })
  const follower = createFollower(context, sessionId, screen)
  const { chunk: chunkMs, language } = flags
  const stream = { sessionId, chunkMs, speed, language, speakers, stop: signal, onBegin: follower.begin }
  const exits: number[] = []
  try {
    const sent = await streamSound(context, input, screen, { ...stream, signal: lateAfter(signal) })
    if (sent === 0 && !signal.aborted) throw new VerbatimError('empty-audio', 'There was no sound to send.')
  } catch (error) {
    exits.push(reportFailure(out, error))
  }
  if (!follower.begun()) return exits[0] ?? reportFailure(out, signal.reason)
  try {
    screen.status('closing the session')
    await client.live.close(sessionId, lateAfter(signal))
    if (flags.wait) await follower.end(flags.timeout)
    else follower.stop()
    screen.end()
    await conclude(context, sessionId, outputs, flags)
  } catch (error) {
    screen.end()
    exits.push(reportFailure(out, error, { json: { sessionId } }))
  }
  // Ctrl-C is how one stops speaking into a microphone.
  return exits[0] ?? (signal.aborted && !flags.mic ? (signal.reason as Interrupted).exit : 0)
}

/** Two streams in one session would take each other's numbers. */
async function mustBeNew({ client, signal }: Context, sessionId: string): Promise<void> {
  try {
    await client.live.session(sessionId, signal)
  } catch (error) {
    if (error instanceof VerbatimError && error.code === 'unknown-session') return
    throw error
  }
  throw new VerbatimError('wrong-state', 'There is a session of this id already.', {
    hint: `Choose another one, or leave --session out. \`verbatim captions ${sessionId}\` shows its captions.`,
  })
}

/** What is being done when Ctrl-C comes is given this long to end. */
const GRACE_MS = 5000

function lateAfter(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  const arm = () => setTimeout(() => late.abort(signal.reason), GRACE_MS).unref()
  if (signal.aborted) arm()
  else signal.addEventListener('abort', arm, { once: true })
  return late.signal
}

/** The job of the whole recording, and its transcript where that is wanted. */
async function conclude(
  { client, out, ...rest }: Context,
  sessionId: string,
  outputs: readonly Output[],
  flags: Flags,
): Promise<void> {
  const signal = new AbortController().signal
  const session = await client.live.session(sessionId, signal)
  const { jobId, lastError } = session
  let delivered = {}
  if (flags.wait && outputs.length > 0) {
    if (jobId === undefined) throw new VerbatimError('empty-audio', 'There was no sound, so no transcript.')
    completed(await client.wait(jobId, { timeoutMs: flags.timeout }))
    const result = await deliver({ ...rest, client, out, signal }, jobId, outputs, flags.overwrite === true)
    delivered = deliveredJson(result)
    if (!out.wantsJson) for (const text of Object.values(result.texts)) out.data(text)
  }
  if (out.wantsJson) out.json({ ...session, ...delivered })
  else {
    out.say(sayingOf(session))
    if (lastError !== undefined) out.warn(`The session had a failure: ${lastError}.`)
  }
}

function sayingOf({ sessionId, state, jobId }: SessionView): string {
  if (state !== 'CLOSED')
    return `Session ${sessionId} is being closed: \`verbatim captions ${sessionId} --follow\`.`
  const job = jobId === undefined ? 'It had no sound.' : `Its transcript: \`verbatim get ${jobId}\`.`
  return `Session ${sessionId} is closed. ${job}`
}

function sessionId(text: string): string {
  const id = SessionId.safeParse(text)
  if (!id.success) throw new InvalidArgumentError(`Use ${id.error.issues[0]?.message}.`)
  return id.data
}

function chunkLength(text: string): number {
  const ms = parse.duration(text)
  if (ms < 200 || ms > 30_000) throw new InvalidArgumentError('From 200ms to 30s.')
  return ms
}

function speedOf(text: string): number {
  const speed = text.trim().toLowerCase() === 'max' ? Number.POSITIVE_INFINITY : Number(text)
  if (!(speed > 0)) throw new InvalidArgumentError('A number above 0, or max.')
  return speed
}
