import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { GIB } from '../../core/settings.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'

/** What every function and worker is told. Nothing here is a secret: tokens lie hashed in the table. */
export function environmentOf(stage: Stage, data: DataStack): FunctionVariables {
  return {
    STAGE: stage.name,
    TABLE_NAME: data.jobs.table.tableName,
    BUCKET_NAME: data.media.bucket.bucketName,
    WORK_QUEUE_URL: data.work.queue.queueUrl,
    MODEL: stage.compute === 'gpu' ? stage.gpu.model : stage.cpu.model,
    MAX_UPLOAD_BYTES: String(Math.round(stage.maxUploadGib * GIB)),
    MAX_DURATION_MS: String(Math.round(stage.maxHours * 3_600_000)),
  }
}
