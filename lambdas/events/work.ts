import { WorkMessage } from '../../lib/core/batch/messages.ts'
import { type WorkPorts, workOn } from '../../lib/core/batch/work.ts'
import { DeliverAgain, forRecords, type SqsHandler } from './sqs.ts'

export interface WorkHost {
  /** Names this process; part of every lease it takes. */
  readonly worker: string
  /** Fires when the worker is asked to stop. */
  readonly drain: AbortSignal
}

/** SQS `work` and `shards`: jobs to be transcribed, and pieces of long ones. */
export const workHandler = (ports: WorkPorts, { worker, drain }: WorkHost): SqsHandler =>
  forRecords(ports.log, async ({ body, receiptHandle }) => {
    const message = WorkMessage.parse(JSON.parse(body))
    const { outcome } = await workOn(ports)(message, `${worker}/${receiptHandle.slice(-16)}`, drain)
    if (outcome === 'again') throw new DeliverAgain()
  })
