import { z } from 'zod'

// Every setting of a deployment, checked at synth. To add a stage of your own, add an entry to STAGES and deploy it
// with `-c stage=<name>`; what it leaves out has the value written here.

const days = z.number().int().positive()
const count = z.number().int().positive()
/** At least one window of the engine; at most what a worker with a time limit does in half of it. */
const shardSeconds = z.number().int().min(30).max(1800)

const Cpu = z.object({
  /** Baked into the image. q5_0 fits a Lambda's memory and costs few words against f16. */
  model: z.string().default('large-v3-q5_0'),
  /** How many recordings are planned at once, or heard if they are short. 10,240 MB each: watch the account's quota. */
  maxConcurrency: z.number().int().min(2).max(1000).default(20),
  /** How many shards of long ones are heard at once, of all recordings together; beside the former. */
  maxShardConcurrency: z.number().int().min(2).max(1000).default(50),
  /** Speech in a shard, about; a recording of up to half more is one. docs/adr/0014-shards.md has the arithmetic. */
  shardSeconds: shardSeconds.default(75),
})

const Gpu = z.object({
  model: z.string().default('large-v3'),
  /** g4dn, g5 or g6, one GPU: a task takes a whole machine. */
  instanceType: z
    .string()
    .regex(/^g(4dn|5|6)\.[0-9]*xlarge$/, 'a g4dn, g5 or g6 instance type')
    .default('g5.xlarge'),
  /** A third of the price; a machine may be taken away with two minutes' notice, and its job goes on elsewhere. */
  spot: z.boolean().default(true),
  maxTasks: z.number().int().min(1).max(100).default(4),
  /** Recordings or shards that a task works on side by side. */
  jobsAtOnce: count.default(1),
  /** As `cpu.shardSeconds`. Longer, as there are few workers, and no longer than one ends after a spot machine's notice. */
  shardSeconds: shardSeconds.default(300),
  /** Recordings that wait before another machine is started for them. */
  backlogPerTask: count.default(4),
  /** Shards that wait before another machine is started for them: what one does while another would boot. */
  shardsPerTask: count.default(16),
  /** `public`: public subnets that accept no connection, no NAT. `private`: no internet at all, VPC endpoints. */
  network: z.enum(['public', 'private']).default('public'),
})

const Live = z.object({
  /**
   * `cpu`: a container Lambda of its own, with a smaller model than recordings get, as captions must keep up with
   * speech; nothing runs between sessions. `gpu`: the machines of the GPU workers. `off`: recordings only.
   */
  compute: z.enum(['off', 'cpu', 'gpu']).default('cpu'),
  /** Left out: small-q5_1 on processors, large-v3-turbo on GPUs; on GPUs that hear recordings too, `gpu.model`. */
  model: z.string().optional(),
  /** CPU: how many sessions are worked on at the same moment. A worker is free again when it has caught up. */
  maxConcurrency: z.number().int().min(2).max(1000).default(10),
  /** GPU: sessions that a task works on at the same moment. */
  sessionsAtOnce: count.default(4),
  /** GPU: tasks that stay although nothing is to be done. 0: the first captions of a quiet day wait ten minutes. */
  minTasks: z.number().int().min(0).default(1),
  /** A session whose client has sent nothing for so long is closed. */
  idleMinutes: z.number().positive().max(60).default(2),
  /** How many may follow captions as they come at once. Left out: as many as the account's functions may run. */
  maxFollowers: count.optional(),
  /** Finals into an ElastiCache (Valkey) too, which lies in a network of its own. */
  redis: z.boolean().default(false),
  /** Finals of all sessions to this address too; token and secret lie in the Parameter Store (docs/deploy.md). */
  engineApi: z.object({ url: z.url({ protocol: /^https?$/ }) }).optional(),
})

export const Stage = z
  .object({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,15}$/, 'up to 16 lower-case letters, digits and hyphens'),
    /** Left out: those of the credentials that deploy. */
    account: z
      .string()
      .regex(/^\d{12}$/)
      .optional(),
    region: z.string().optional(),
    /** `kms`: bucket, table and alarms under a key of your own. `s3`: under keys that AWS owns, at no charge. */
    encryption: z.enum(['kms', 's3']),
    /** Bucket, table and key stay when their stack is deleted; the table refuses to be deleted. */
    keepData: z.boolean(),
    /** Days that an overwritten or deleted object can be brought back; 0: at once gone for good. */
    undeleteDays: z.number().int().min(0),
    /** Days that a recording is kept after its upload. */
    audioDays: days,
    logDays: z.union([1, 3, 5, 7, 14, 30, 60, 90, 180, 365].map((value) => z.literal(value))),
    compute: z.enum(['cpu', 'gpu', 'both']),
    /**
     * With `both`: recordings longer than this are the GPU's. CPU workers would hear a longer one sooner, shard by shard,
     * but at seven times the price; a machine must first be started, which takes ten minutes and 20 cents. Up to an hour
     * those ten minutes cost more than is saved (docs/deploy.md reckons it out).
     */
    longFromMinutes: z.number().int().positive().default(60),
    cpu: Cpu.prefault({}),
    gpu: Gpu.prefault({}),
    live: Live.prefault({}),
    maxUploadGib: z.number().positive().max(5000).default(20),
    /** Longest recording. */
    maxHours: z.number().positive().max(24).default(8),
    /** Requests a second to the API, and how many may come at once. */
    throttle: z.object({ rate: count, burst: count }),
    /** Origins of web pages that may call the API and upload. Tokens travel in a header, never in cookies. */
    webOrigins: z.array(z.string()).default(['*']),
    /** Hosts (`name` or `name:port`) that webhooks which clients ask for may reach although they are not public. */
    webhookAllow: z.array(z.string()).default([]),
    /** Gets every alarm, once the address has been confirmed. */
    alarmEmail: z.email().optional(),
  })
  .superRefine(({ compute, gpu, live }, context) => {
    const refuse = (message: string, path: string) =>
      context.addIssue({ code: 'custom', message, path: ['live', path] })
    if (live.compute !== 'gpu') return
    if (compute !== 'cpu' && live.model !== undefined && live.model !== gpu.model)
      refuse(`GPU workers have one model for both lanes: leave it out, or set gpu.model to it`, 'model')
    if (live.minTasks > gpu.maxTasks) refuse('more than gpu.maxTasks', 'minTasks')
  })
export type Stage = z.infer<typeof Stage>

const STAGES = {
  dev: {
    encryption: 's3',
    keepData: false,
    undeleteDays: 0,
    audioDays: 7,
    logDays: 7,
    compute: 'cpu',
    throttle: { rate: 20, burst: 50 },
  },
  prod: {
    encryption: 'kms',
    keepData: true,
    undeleteDays: 7,
    audioDays: 30,
    logDays: 90,
    compute: 'cpu',
    cpu: { maxConcurrency: 100, maxShardConcurrency: 500 },
    live: { maxConcurrency: 50 },
    throttle: { rate: 200, burst: 500 },
  },
} as const satisfies Record<string, Omit<z.input<typeof Stage>, 'name'>>

/** The checked settings of a stage; the error of an unknown one says which there are. */
export function stageNamed(name: string): Stage {
  if (!Object.hasOwn(STAGES, name)) {
    throw new Error(`There is no stage ${name}: choose one of ${Object.keys(STAGES).join(', ')}.`)
  }
  return Stage.parse({ name, ...STAGES[name as keyof typeof STAGES] })
}

/** Whether there are machines with a GPU, for whichever lane. */
export const usesGpu = ({ compute, live }: Stage): boolean => compute !== 'cpu' || live.compute === 'gpu'

/**
 * What hears sessions. On processors not large-v3: a window of a few seconds would take it longer than the next chunk
 * takes to come. Undefined without a live lane.
 */
export function liveModelOf({ compute, gpu, live }: Stage): string | undefined {
  if (live.compute === 'off') return undefined
  if (live.compute === 'cpu') return live.model ?? 'small-q5_1'
  return compute === 'cpu' ? (live.model ?? 'large-v3-turbo') : gpu.model
}
