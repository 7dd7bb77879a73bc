import { describe, expect, it } from '@jest/globals'
import type { Template } from 'aws-cdk-lib/assertions'
import { z } from 'zod'
import { stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, templatesOf } from './support.ts'

const dev = templatesOf(stageNamed('dev'))
const full = templatesOf(FULL)

const Exported = z.object({
  Value: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
  Export: z.object({ Name: z.string() }),
})
const Mapping = z.object({
  EventSourceArn: z.object({ 'Fn::ImportValue': z.string() }),
  FunctionName: z.object({ Ref: z.string() }),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }),
  BatchSize: z.number(),
})
const Fn = z.object({ Timeout: z.number() })
const SqsQueue = z.object({
  VisibilityTimeout: z.number(),
  RedrivePolicy: z
    .object({
      deadLetterTargetArn: z.object({ 'Fn::GetAtt': z.array(z.string()) }),
      maxReceiveCount: z.number(),
    })
    .optional(),
})

const typed = <T extends z.ZodType>(template: Template, type: string, properties: T) =>
  new Map(
    resourcesOf(template)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => [id, properties.parse(Properties)] as const),
  )

/** Which function takes from which queue. The queues are known to the service's stack by the names of exports. */
function sourcesOf({ data, service }: typeof dev) {
  const exports = new Map(
    Object.values<unknown>(data.toJSON().Outputs).flatMap((output) => {
      const { data: exported } = Exported.safeParse(output)
      return exported ? [[exported.Export.Name, exported.Value['Fn::GetAtt'][0]] as const] : []
    }),
  )
  const queues = typed(data, 'AWS::SQS::Queue', SqsQueue)
  const functions = typed(service, 'AWS::Lambda::Function', Fn)
  return [...typed(service, 'AWS::Lambda::EventSourceMapping', Mapping).values()].map((mapping) => {
    const queueId = exports.get(mapping.EventSourceArn['Fn::ImportValue'])!
    const functionId = mapping.FunctionName.Ref
    const { Timeout: timeout } = functions.get(functionId)!
    return { mapping, queueId, functionId, timeout, visibility: queues.get(queueId)!.VisibilityTimeout }
  })
}

describe.each([
  ['dev', dev],
  ['full', full],
])('the queues and their consumers in %s', (_, deployment) => {
  const sources = sourcesOf(deployment)

  it('hide a message for longer than its function may run, or Lambda would refuse the pair', () => {
    expect(sources.length).toBeGreaterThanOrEqual(4)
    for (const { visibility, timeout } of sources) expect(visibility).toBeGreaterThan(timeout)
  })

  it('hide it six times as long before small functions, as the Lambda guide advises', () => {
    const small = sources.filter(({ functionId }) => !/Worker/.test(functionId))
    for (const { visibility, timeout } of small) expect(visibility).toBeGreaterThanOrEqual(6 * timeout)
  })

  it('let a shard die after a few deliveries, and a job after many, as busy leases use them up too', () => {
    const queues = [...typed(deployment.data, 'AWS::SQS::Queue', SqsQueue)]
    const receives = (name: RegExp) => {
      const found = queues.filter(([id, { RedrivePolicy }]) => name.test(id) && RedrivePolicy)
      return found.map(([, { RedrivePolicy }]) => RedrivePolicy!.maxReceiveCount)
    }
    expect(new Set(receives(/^(Long)?Shards/))).toEqual(new Set([5]))
    expect(new Set(receives(/^(Long)?Work/))).toEqual(new Set([20]))
  })

  it('let no dead letter lie: each queue for them has the consumer that fails the job', () => {
    const queues = typed(deployment.data, 'AWS::SQS::Queue', SqsQueue)
    const graves = [...queues.values()].flatMap(({ RedrivePolicy }) =>
      RedrivePolicy ? [RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]!] : [],
    )
    const emptied = sources
      .filter(({ functionId }) => functionId.includes('DeadLetter'))
      .map(({ queueId }) => queueId)
    expect(emptied.toSorted()).toEqual([...new Set(graves)].toSorted())
    // And each queue that is not one has one, but that of wake-ups, which nobody misses.
    expect(queues.size).toBe(2 * graves.length + 1)
  })
})

describe('the worker', () => {
  it.each([
    ['dev', dev, 20, 50],
    ['full', full, 100, 500],
  ])(
    'in %s runs as often side by side as the stage says, for recordings and for shards, one at a time',
    (_, deployment, jobs, shards) => {
      const workers = sourcesOf(deployment).filter(({ functionId }) => functionId.startsWith('Worker'))
      expect(new Set(workers.map(({ functionId }) => functionId)).size).toBe(1)
      const sources = workers.map(({ queueId, mapping: { BatchSize, ScalingConfig } }) => [
        ...[/^[A-Za-z]+?(?=Queue)/.exec(queueId)![0], BatchSize, ScalingConfig.MaximumConcurrency],
      ])
      expect(sources.toSorted()).toEqual([
        ['Shards', 1, shards],
        ['Work', 1, jobs],
      ])
    },
  )

  it('may send a job on to itself, which Lambda would else take for a loop and stop', () => {
    dev.service.hasResourceProperties('AWS::Lambda::Function', {
      PackageType: 'Image',
      RecursiveLoop: 'Allow',
    })
  })
})
