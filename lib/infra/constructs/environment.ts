import type { FunctionVariables } from '../../adapters/aws/environment.ts'
import { GIB } from '../../core/settings.ts'
import { LONG_FROM, RECORD_OUTLIVES_AUDIO } from '../limits.ts'
import { paceOf } from '../pace.ts'
import type { DataStack } from '../stacks/data.ts'
import type { Stage } from '../stages.ts'
import { type AllBatchQueues, gpuBatchQueues } from './gpu-queues.ts'

type Resources = Pick<DataStack, 'jobs' | 'media' | 'live' | 'deliveries'> & AllBatchQueues

/** What every function and CPU worker is told. Nothing here is a secret: tokens lie hashed in the table. */
export function environmentOf(stage: Stage, resources: Resources): FunctionVariables {
  const { jobs, media, work, shards, longWork } = resources
  return {
    STAGE: stage.name,
    TABLE_NAME: jobs.table.tableName,
    BUCKET_NAME: media.bucket.bucketName,
    WORK_QUEUE_URL: work.queue.queueUrl,
    SHARDS_QUEUE_URL: shards.queue.queueUrl,
    SHARD_MS: shardMs(stage.compute === 'gpu' ? stage.gpu : stage.cpu),
    ...paceOf(stage),
    ...(longWork && {
      LONG_WORK_QUEUE_URL: longWork.queue.queueUrl,
      LONG_FROM_MS: String(stage.longFromMinutes * 60_000),
      LONG_FROM_BYTES: String(LONG_FROM.toBytes()),
    }),
    ...liveEnvironmentOf(stage, resources),
    MODEL: stage.compute === 'gpu' ? stage.gpu.model : stage.cpu.model,
    RECORD_DAYS: String(stage.audioDays + RECORD_OUTLIVES_AUDIO.toDays()),
    MAX_UPLOAD_BYTES: String(Math.round(stage.maxUploadGib * GIB)),
    MAX_DURATION_MS: String(Math.round(stage.maxHours * 3_600_000)),
  }
}

/** The live lane's, and that of the webhooks of both lanes. */
function liveEnvironmentOf(stage: Stage, { live, deliveries }: Resources) {
  const { engineApi, idleMinutes } = stage.live
  return {
    ...(live && {
      LIVE_QUEUE_URL: live.queue.queueUrl,
      LIVE_IDLE_MS: String(Math.round(idleMinutes * 60_000)),
    }),
    DELIVERIES_QUEUE_URL: deliveries.queueUrl,
    ...(engineApi && { ENGINE_API_URL: engineApi.url }),
    ...(stage.webhookAllow.length > 0 && { WEBHOOK_ALLOW: stage.webhookAllow.join(',') }),
  }
}

const shardMs = ({ shardSeconds }: { shardSeconds: number }) => String(shardSeconds * 1000)

/** What a GPU worker is told: where there are CPU workers too, it has queues of its own and leaves nothing to others. */
export function gpuEnvironmentOf(stage: Stage, resources: Resources): FunctionVariables {
  const { jobs: work, shards } = gpuBatchQueues(resources)
  const own = { work, shards, longWork: undefined, longShards: undefined }
  return { ...environmentOf(stage, { ...resources, ...own }), SHARD_MS: shardMs(stage.gpu) }
}
