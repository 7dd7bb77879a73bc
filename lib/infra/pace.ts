import type { FunctionVariables } from '../adapters/aws/environment.ts'
import { CPU_HOUR, gpuTaskHour } from './prices.ts'
import type { Stage } from './stages.ts'

// What a deployment tells its clients before anything is measured: how long a recording will take, and what it will
// cost. Reckoned from what others have measured (docs/cost.md), at the slow end, so that most are done sooner.

/** Millions of parameters: https://github.com/openai/whisper#available-models-and-languages */
const PARAMETERS: ReadonlyArray<readonly [begin: string, millions: number]> = [
  ['tiny', 39],
  ['base', 74],
  ['small', 244],
  ['medium', 769],
  ['large-v3-turbo', 809],
  ['large', 1550],
]

/** Seconds of work for a second of speech with a large model: Lambda of 10 GB; machines with an A10G or an L4. */
const LARGE = { cpu: 0.85, gpu: 1 / 12 }

/** A Lambda that knows the image; a machine that boots, and pulls it (docs/deploy.md, "GPU quotas"). */
const START_MS = { cpu: 15_000, gpu: 600_000 }

/**
 * How fast `model` is against large-v3, as parameters go; undefined for a model that OpenAI's table does not have. The
 * encoder of turbo is that of large-v3, so there this says too little: only its decoder is small.
 */
function share(model: string): number | undefined {
  const [, millions] = PARAMETERS.find(([begin]) => model.startsWith(begin)) ?? []
  return millions && millions / 1550
}

type Pace = Pick<
  FunctionVariables,
  'PACE_WORK_PER_AUDIO' | 'PACE_WORKERS' | 'PACE_START_MS' | 'PACE_DOLLARS_PER_HOUR'
>

/**
 * Of the workers that hear what comes first: those on processors where there are both kinds. Empty, so that nothing is
 * estimated, where nobody has measured the model or the machine.
 */
export function paceOf(stage: Stage): Pace {
  const compute = stage.compute === 'gpu' ? 'gpu' : 'cpu'
  const part = share(stage[compute].model)
  if (part === undefined || (compute === 'gpu' && stage.gpu.instanceType.startsWith('g4dn'))) return {}
  const { cpu, gpu } = stage
  const workers = compute === 'cpu' ? cpu.maxShardConcurrency : gpu.maxTasks * gpu.jobsAtOnce
  const dollars = compute === 'cpu' ? CPU_HOUR : gpuTaskHour(stage)
  return {
    PACE_WORK_PER_AUDIO: (LARGE[compute] * part).toFixed(4),
    PACE_WORKERS: String(workers),
    PACE_START_MS: String(START_MS[compute]),
    ...(dollars !== undefined && { PACE_DOLLARS_PER_HOUR: dollars.toFixed(4) }),
  }
}
