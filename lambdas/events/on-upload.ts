import * as z from 'zod'
import { type AcceptPorts, acceptUpload } from '../../lib/core/batch/2-accept.ts'
import type { Log } from '../../lib/core/ports.ts'
import { forRecords, type SqsHandler } from './sqs.ts'

/** The keys in what S3 sends: records of created objects, or one test event when the notification is set up. */
export const S3Message = z.union([
  z.object({ Event: z.literal('s3:TestEvent') }).transform(() => [] as string[]),
  z
    .object({
      Records: z.array(
        z.object({ eventName: z.string(), s3: z.object({ object: z.object({ key: z.string() }) }) }),
      ),
    })
    .transform(({ Records }) =>
      Records.filter(({ eventName }) => /^(s3:)?ObjectCreated:/.test(eventName)).map(({ s3 }) =>
        decodeKey(s3.object.key),
      ),
    ),
])

/** S3 writes keys in events form-encoded: a space is a plus. What is not, S3 has not written; it is no upload's key. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}

/** SQS `uploads`: recordings have arrived. */
export const onUploadHandler = (ports: AcceptPorts & { log: Log }): SqsHandler =>
  forRecords(ports.log, async ({ body, messageId }) => {
    for (const key of S3Message.parse(JSON.parse(body))) {
      const code = await acceptUpload(ports)(key)
      ports.log.info('upload arrived', { messageId, code })
    }
  })
