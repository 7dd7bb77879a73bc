import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib'
import {
  Capability,
  ClusterGrants,
  ContainerImage,
  Ec2Service,
  Ec2TaskDefinition,
  LinuxParameters,
  LogDriver,
  NetworkMode,
  Scope,
} from 'aws-cdk-lib/aws-ecs'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { CacheVariables, FunctionVariables, PollerVariables } from '../../adapters/aws/environment.ts'
import { acknowledge } from '../acknowledge.ts'
import { DRAIN } from '../limits.ts'
import { gpuTaskHour } from '../prices.ts'
import { ROOT } from '../root.ts'
import type { DataStack } from '../stacks/data.ts'
import { liveModelOf, type Stage } from '../stages.ts'
import type { GpuMachines } from './gpu-machines.ts'
import type { GpuQueues } from './gpu-queues.ts'
import type { LiveCache } from './live-cache.ts'
import { workerImage } from './worker-image.ts'
import { grantLiveWork, grantWork } from './worker-rights.ts'
import type { WorkerVariables } from './worker-variables.ts'

export interface GpuWorkerProps {
  readonly stage: Stage
  readonly data: DataStack
  readonly environment: FunctionVariables
  readonly machines: GpuMachines
  readonly queues: GpuQueues
  readonly cache: LiveCache | undefined
}

/** A model of 3 GB is read and put on the GPU before the first answer. */
const HEALTH = {
  interval: Duration.seconds(30),
  timeout: Duration.seconds(5),
  startPeriod: Duration.minutes(5),
}

/** The worker as an ECS service: polls the queue, has a GPU to itself, ends cleanly when it is told to. */
export class GpuWorker extends Construct {
  readonly service: Ec2Service
  readonly logs: LogGroup

  constructor(scope: Construct, id: string, props: GpuWorkerProps) {
    super(scope, id)
    const { stage, machines } = props
    this.logs = new LogGroup(this, 'Logs', { retention: stage.logDays, removalPolicy: RemovalPolicy.DESTROY })
    // On the bridge a task uses its machine's way out; with an interface of its own it would need a NAT gateway.
    const task = new Ec2TaskDefinition(this, 'Task', { networkMode: NetworkMode.BRIDGE })
    // Docker makes the volume with the owner and mode of the image's /tmp, and removes it with the task.
    task.addVolume({ name: 'scratch', dockerVolumeConfiguration: { scope: Scope.TASK, driver: 'local' } })
    this.#addContainer(task, props)
    grantRights(task, props)
    this.#grantProtection(task, machines)
    this.service = new Ec2Service(this, 'Service', {
      cluster: machines.cluster,
      taskDefinition: task,
      // Scaling takes it from here. A deployment that changes the service begins at none again: tasks give their jobs
      // back and take them up anew.
      desiredCount: 0,
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      capacityProviderStrategies: [{ capacityProvider: machines.provider.capacityProviderName, weight: 1 }],
    })
    this.service.node.addDependency(machines.provider)
  }

  /** At work, a task asks the ECS agent not to be taken away; the agent asks with the task's own role. */
  #grantProtection(task: Ec2TaskDefinition, { cluster }: GpuMachines): void {
    ClusterGrants.fromCluster(cluster).taskProtection(task.taskRole)
    // As cdk-nag writes what is not known before the deployment.
    const stack = Stack.of(this)
    const region = Token.isUnresolved(stack.region) ? '<AWS::Region>' : stack.region
    const account = Token.isUnresolved(stack.account) ? '<AWS::AccountId>' : stack.account
    const { Ref: name } = stack.resolve(cluster.clusterName)
    acknowledge(task, {
      [`IAM5[Resource::arn:<AWS::Partition>:ecs:${region}:${account}:task/<${name}>/*]`]:
        'A task has no name before it runs: its own cluster is as narrow as a role can be.',
    })
  }

  #addContainer(task: Ec2TaskDefinition, props: GpuWorkerProps): void {
    const { stage, environment, queues, cache } = props
    const model = modelOf(stage)
    const variables: WorkerVariables & PollerVariables & CacheVariables = {
      ...environment,
      ...priceOf(stage),
      ...{ MODEL: model, THREADS: '4', ENGINES: String(stage.gpu.jobsAtOnce), SCRATCH_DIR: '/tmp' },
      DRAIN_MS: String(DRAIN.jobs.toMilliseconds()),
      ...(queues.live && {
        TAKES: queues.batch ? 'both' : 'live',
        SESSIONS: String(stage.live.sessionsAtOnce),
      }),
      ...cache?.variables,
    }
    const linuxParameters = new LinuxParameters(this, 'Linux', { initProcessEnabled: true })
    linuxParameters.dropCapabilities(Capability.ALL)
    const container = task.addContainer('worker', {
      image: ContainerImage.fromAsset(ROOT, workerImage('worker-gpu.Dockerfile', model)),
      gpuCount: 1,
      // The rest of the machine's memory is the file cache, in which the recording's sound lies.
      memoryReservationMiB: 8192,
      environment: { ...variables },
      logging: LogDriver.awsLogs({ logGroup: this.logs, streamPrefix: 'worker' }),
      // ECS does not look at the image's own.
      healthCheck: { command: ['CMD', 'worker-health'], ...HEALTH },
      readonlyRootFilesystem: true,
      linuxParameters,
      // As long as a spot machine has after its notice, and the most that ECS waits.
      stopTimeout: DRAIN.all,
    })
    acknowledge(task, {
      ECS2: 'Names and numbers only: a worker is told no secret, its role is all it needs.',
    })
    acknowledge(task.obtainExecutionRole(), {
      'IAM5[Resource::*]':
        'ecr:GetAuthorizationToken has no resources; pulling is limited to the one repository.',
    })
    container.addMountPoints({ sourceVolume: 'scratch', containerPath: '/tmp', readOnly: false })
  }
}

/** One for both lanes; a task has one engine. */
const modelOf = (stage: Stage): string =>
  stage.compute === 'cpu' ? (liveModelOf(stage) ?? stage.gpu.model) : stage.gpu.model

function grantRights({ taskRole }: Ec2TaskDefinition, { data, queues, cache }: GpuWorkerProps): void {
  const { batch, live } = queues
  if (batch)
    grantWork(taskRole, { ...data, takesFrom: batch.jobs, sendsTo: batch.jobs, shards: batch.shards })
  if (live) grantLiveWork(taskRole, { ...data, live })
  cache?.grantWrite(taskRole)
}

function priceOf(stage: Stage): Pick<WorkerVariables, 'COMPUTE' | 'DOLLARS_PER_HOUR'> {
  const price = gpuTaskHour(stage)
  if (price === undefined) return { COMPUTE: 'gpu' }
  return { COMPUTE: 'gpu', DOLLARS_PER_HOUR: price.toFixed(4) }
}
