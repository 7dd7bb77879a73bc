import type { SQSRecord } from 'aws-lambda'
import { type DeadLetterPorts, failAbandoned } from '../../lib/core/batch/abandoned.ts'
import type { Ended } from '../../lib/core/batch/announce-end.ts'
import { WorkMessage } from '../../lib/core/batch/messages.ts'
import { parseUploadKey } from '../../lib/core/keys.ts'
import type { Log } from '../../lib/core/ports.ts'
import { S3Message } from './on-upload.ts'
import { DeliverAgain, forRecords, type SqsHandler } from './sqs.ts'

/** SQS dead letters of `uploads`, `work` and `shards`: nobody could bring these jobs further, so they end as FAILED. */
export const deadLetterHandler = (ports: DeadLetterPorts & { log: Log; ended?: Ended }): SqsHandler =>
  forRecords(ports.log, async (record) => {
    const refs = refsIn(record)
    if (refs.length === 0) ports.log.error('dead letter names no job', { messageId: record.messageId })
    for (const { shard, ...ref } of refs) {
      const code = await failAbandoned(ports)(ref, shard === undefined ? {} : { shard })
      // Looked at again, until the worker has ended the job or has died itself.
      if (code === 'busy') throw new DeliverAgain()
      await ports.ended?.(ref)
      // The dead letter of a job that has ended meanwhile is nobody's fault.
      ports.log[code === 'failed' ? 'error' : 'info']('job abandoned', { jobId: ref.jobId, code })
    }
  })

function refsIn({ body }: SQSRecord): WorkMessage[] {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return []
  }
  const work = WorkMessage.safeParse(value)
  if (work.success) return [work.data]
  const keys = S3Message.safeParse(value).data ?? []
  return keys.map(parseUploadKey).filter((ref) => ref !== undefined)
}
