import type { Stage } from './stages.ts'

/** Memory of a CPU worker: the most that Lambda gives, and with it the most processors. */
export const CPU_WORKER_MB = 10_240

/**
 * What computing costs, in US dollars: us-east-1, Linux, on demand, without taxes, free tiers and discounts. Other
 * regions cost up to a half more; a spot machine costs about a third of this. docs/cost.md says where they are from.
 *
 * Machines with one GPU only: a worker uses one. Look them up before you rely on them:
 * https://aws.amazon.com/ec2/pricing/on-demand/ and https://aws.amazon.com/lambda/pricing/. A type without a source has no
 * price here, and its jobs send no cost.
 */
export const PRICES = {
  /** When the sources of docs/cost.md say that this was so. */
  asOf: { lambda: '2024', machines: 'early 2026' },
  /** A GB of memory for a second; a GB is 1,024 MB here. */
  lambdaGbSecond: 0.0000166667,
  /** A machine for an hour. */
  machineHour: {
    ...{ 'g4dn.xlarge': 0.526, 'g4dn.2xlarge': 0.752, 'g4dn.4xlarge': 1.204, 'g4dn.8xlarge': 2.176 },
    ...{ 'g4dn.16xlarge': 4.352, 'g5.xlarge': 1.006, 'g5.2xlarge': 1.212, 'g5.4xlarge': 1.624 },
    ...{ 'g5.8xlarge': 2.448, 'g5.16xlarge': 4.096, 'g6.xlarge': 0.8048, 'g6.2xlarge': 0.9776 },
    ...{ 'g6.4xlarge': 1.3232, 'g6.8xlarge': 2.0144, 'g6.16xlarge': 3.3968 },
  },
} as const

/** An hour of a CPU worker. */
export const CPU_HOUR = (CPU_WORKER_MB / 1024) * 3600 * PRICES.lambdaGbSecond

/** An hour of a machine with a GPU; undefined for a type that the table does not have. */
export function gpuHour({ gpu: { instanceType } }: Stage): number | undefined {
  const known: Readonly<Record<string, number>> = PRICES.machineHour
  return known[instanceType]
}

/** An hour of one of the jobs or shards that a machine works on side by side: they share its price. */
export function gpuTaskHour(stage: Stage): number | undefined {
  const price = gpuHour(stage)
  return price && price / stage.gpu.jobsAtOnce
}
