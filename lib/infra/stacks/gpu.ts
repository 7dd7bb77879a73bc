import { Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Alarms } from '../constructs/alarms.ts'
import { gpuEnvironmentOf } from '../constructs/environment.ts'
import { watchGpu } from '../constructs/gpu-alarms.ts'
import { GpuMachines } from '../constructs/gpu-machines.ts'
import { GpuNetwork } from '../constructs/gpu-network.ts'
import { GpuScaling } from '../constructs/gpu-scaling.ts'
import { GpuWorker } from '../constructs/gpu-worker.ts'
import type { Stage } from '../stages.ts'
import type { DataStack } from './data.ts'

export interface GpuStackProps extends StackProps {
  readonly stage: Stage
  readonly data: DataStack
}

/** Workers on GPUs, and the only network of a deployment. Absent where the stage says `compute: 'cpu'`. */
export class GpuStack extends Stack {
  constructor(scope: Construct, id: string, { stage, data, ...props }: GpuStackProps) {
    super(scope, id, { ...props, description: 'Verbatim: GPU workers' })
    const environment = gpuEnvironmentOf(stage, data)
    const network = new GpuNetwork(this, 'Network', stage)
    const machines = new GpuMachines(this, 'Machines', stage, network)
    const { service } = new GpuWorker(this, 'Worker', { stage, data, environment, machines })
    const { queue } = data.longWork ?? data.work
    const resourceId = `service/${machines.cluster.clusterName}/${service.serviceName}`
    new GpuScaling(this, 'Scaling', { stage, queue, resourceId })

    const alarms = new Alarms(this, 'Alarms', { prefix: `verbatim-${stage.name}`, topic: data.alarms })
    watchGpu(alarms, { queue, machines, service })
  }
}
