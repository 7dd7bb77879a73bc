import type { BatchFigures } from './batch.ts'
import type { Latency } from './figures.ts'
import type { PlainFigures } from './plain.ts'
import type { LiveFigures } from './run.ts'

export interface Report {
  /** Of audio, a session. */
  readonly seconds: number
  readonly batch: BatchFigures
  readonly plain: PlainFigures
  readonly live: readonly LiveFigures[]
  /** The long run, where it was asked for. */
  readonly memory?: LiveFigures
}

/** What the live lane is held to. Its errors may be so many points more than those of the batch lane. */
const TARGETS = { draftMs: 3_500, finalMs: 5_000, compute: 3, errorPoints: 2, named: 95, memoryMb: 150 }

/** What the batch lane, the plain loop and each live run came to; a star where a run misses its target. */
interface Row {
  readonly label: string
  readonly target?: string
  readonly batch?: string
  readonly plain?: string
  readonly live: readonly string[]
}

export function table(report: Report): string {
  const { live } = report
  const sessions = live.map((run) => `${run.sessions} live`)
  const head: Row = { label: '', target: 'target', batch: 'batch', plain: 'plain 3 s', live: sessions }
  return [head, ...wordRows(report), ...computeRows(report), ...memoryRows(live)]
    .map((row) => line(row))
    .join('\n')
}

function line({ label, target = '', batch = '', plain = '', live }: Row): string {
  return label.padEnd(34) + [target, batch, plain, ...live].map((cell) => cell.padStart(13)).join('')
}

function wordRows({ batch, plain, live }: Report): Row[] {
  const most = share(batch) + TARGETS.errorPoints
  // What the plain loop shows is final at once.
  const late = (label: string, pick: (it: LiveFigures) => Latency | undefined, mostMs: number): Row[] => [
    {
      ...{ label: `${label}, p50 s`, plain: seconds(plain.final?.p50Ms) },
      live: live.map((it) => seconds(pick(it)?.p50Ms)),
    },
    {
      ...{ label: `${label}, p95 s`, target: `<= ${mostMs / 1000}`, plain: seconds(plain.final?.p95Ms) },
      live: live.map((it) => missed(seconds(pick(it)?.p95Ms), (pick(it)?.p95Ms ?? Infinity) > mostMs)),
    },
  ]
  return [
    ...late('spoken to first shown', (it) => it.draft, TARGETS.draftMs),
    ...late('spoken to final', (it) => it.final, TARGETS.finalMs),
    {
      ...{ label: `words wrong of ${batch.said}, %`, target: `<= ${most.toFixed(1)}` },
      ...{ batch: share(batch).toFixed(1), plain: share(plain).toFixed(1) },
      live: live.map((it) => missed(share(it).toFixed(1), share(it) > most)),
    },
    {
      ...{ label: 'speaker right, % of right words', target: `>= ${TARGETS.named}` },
      live: live.map((it) => percentOf(it.named, it.right)),
    },
  ]
}

function computeRows({ batch, plain, live, seconds: audioS }: Report): Row[] {
  const once = batch.cpu.engineS / audioS
  const row = (label: string, cpu: 'engineS' | 'ownS' | 'decoderS'): Row => ({
    label: `${label}, CPU s per audio s`,
    batch: (batch.cpu[cpu] / audioS).toFixed(4),
    live: live.map((it) => (it.cpu[cpu] / it.audioS).toFixed(4)),
  })
  const ratio = (engineS: number, of: number) => engineS / of / once
  return [
    { ...row('engine', 'engineS'), plain: (plain.engineS / audioS).toFixed(4) },
    {
      ...{ label: '  against decoding once', target: `<= ${TARGETS.compute}`, batch: '1.00' },
      plain: ratio(plain.engineS, audioS).toFixed(2),
      live: live.map((it) => {
        const times = ratio(it.cpu.engineS, it.audioS)
        return missed(times.toFixed(2), times > TARGETS.compute)
      }),
    },
    row('our process', 'ownS'),
    row('ffmpeg', 'decoderS'),
  ]
}

function memoryRows(live: readonly LiveFigures[]): Row[] {
  const cells = (of: (memoryMb: readonly number[], sessions: number) => number, mostMb = Infinity) =>
    live.map(({ memoryMb, sessions }) => {
      const mb = of(memoryMb, sessions)
      return missed(mb.toFixed(0), mb > mostMb)
    })
  return [
    { label: 'memory of our process: before, MB', live: cells((mb) => mb[0]!) },
    {
      ...{ label: '  most', target: `<= ${TARGETS.memoryMb}` },
      live: cells((mb) => Math.max(...mb), TARGETS.memoryMb),
    },
    { label: '  more than before, a session', live: cells((mb, n) => (Math.max(...mb) - mb[0]!) / n) },
  ]
}

/** Of the long run: ten looks, evenly spread. */
export function memoryLines({ sessions, audioS, memoryMb, ...words }: LiveFigures): string {
  const looks = Array.from({ length: 11 }, (_, n) => memoryMb[Math.round((n * (memoryMb.length - 1)) / 10)]!)
  const most = Math.max(...memoryMb)
  return [
    `${sessions} session(s) of ${(audioS / sessions / 60).toFixed(1)} min, words wrong ${share(words).toFixed(1)} %`,
    `memory of our process from begin to end, MB: ${looks.map((mb) => mb.toFixed(0)).join(' ')}`,
    `most ${most.toFixed(0)} MB, ${((most - memoryMb[0]!) / sessions).toFixed(1)} MB a session more than before`,
  ].join('\n')
}

const share = ({ errors, said }: { errors: number; said: number }): number => (100 * errors) / said
const seconds = (ms: number | undefined): string => (ms === undefined ? 'none' : (ms / 1000).toFixed(2))
const missed = (text: string, isMissed: boolean): string => (isMissed ? `* ${text}` : text)

function percentOf(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole
  return missed(percent.toFixed(1), percent < TARGETS.named)
}
