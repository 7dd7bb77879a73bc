import { Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Alarms } from '../constructs/alarms.ts'
import { gpuEnvironmentOf } from '../constructs/environment.ts'
import { watchGpu } from '../constructs/gpu-alarms.ts'
import { GpuMachines } from '../constructs/gpu-machines.ts'
import { GpuNetwork } from '../constructs/gpu-network.ts'
import { gpuQueues } from '../constructs/gpu-queues.ts'
import { GpuScaling } from '../constructs/gpu-scaling.ts'
import { GpuWorker } from '../constructs/gpu-worker.ts'
import { LiveCache } from '../constructs/live-cache.ts'
import type { Stage } from '../stages.ts'
import type { DataStack } from './data.ts'

export interface GpuStackProps extends StackProps {
  readonly stage: Stage
  readonly data: DataStack
}

/** Workers on GPUs, and the only network of a deployment. Absent where neither lane is to be heard by a GPU. */
export class GpuStack extends Stack {
  constructor(scope: Construct, id: string, { stage, data, ...props }: GpuStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: GPU workers' })
    const environment = gpuEnvironmentOf(stage, data)
    const queues = gpuQueues(stage, data)
    const network = new GpuNetwork(this, 'Network', stage)
    const machines = new GpuMachines(this, 'Machines', stage, network)
    const cache =
      queues.live && stage.live.redis ? new LiveCache(this, 'LiveCache', { stage, ...network }) : undefined
    cache?.allow(machines.securityGroup)
    const { service } = new GpuWorker(this, 'Worker', {
      ...{ stage, data, environment, machines, cache, queues },
    })
    const resourceId = `service/${machines.cluster.clusterName}/${service.serviceName}`
    new GpuScaling(this, 'Scaling', { stage, ...queues, resourceId })

    const alarms = new Alarms(this, 'Alarms', { prefix: `verbatim-${stage.name}`, topic: data.alarms })
    // What is worked on at all; with both lanes, recordings tell sooner that nobody works.
    const { batch, live } = queues
    const taken = batch ? [batch.jobs.queue, batch.shards.queue] : [live!.queue]
    watchGpu(alarms, { queues: taken, machines, service })
  }
}
