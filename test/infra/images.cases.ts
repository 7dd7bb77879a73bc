import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import {
  CacheEnvironment,
  PollerEnvironment,
  type WorkerVariables as Read,
  WorkerEnvironment,
} from '../../lib/adapters/aws/environment.ts'
import type { WorkerVariables as Told } from '../../lib/infra/constructs/worker-variables.ts'
import { ROOT, readDockerfile } from '../support/dockerfile.ts'
import { FULL, resourcesOf, templatesOf } from './support.ts'

// A worker has its variables from two sides: its image and its deployment.

/** Those that no deployment tells: a list that does not compile when it is not exactly theirs. */
const BY_THE_IMAGE: Record<Exclude<keyof Read, keyof Told>, true> = {
  ENGINE_PATH: true,
  ENGINE_VERSION: true,
  MODEL_PATH: true,
}

const Image = z.object({
  PackageType: z.literal('Image'),
  Environment: z.object({ Variables: z.looseObject({}) }),
})
const Task = z.object({
  ContainerDefinitions: z.tuple([
    z.object({ Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })) }),
  ]),
})

type Worker = [file: string, told: Record<string, string>]

/** What each worker of the stage is told. */
function workers(): Worker[] {
  const { service, gpu } = templatesOf(FULL)
  const lambdas = resourcesOf(service).flatMap(([, { Properties }]): Worker[] => {
    const { data } = Image.safeParse(Properties)
    return data ? [['worker-lambda.Dockerfile', known(data.Environment.Variables)]] : []
  })
  const tasks = resourcesOf(gpu!).flatMap(([, { Properties }]): Worker[] => {
    const { data } = Task.safeParse(Properties)
    const entries = data?.ContainerDefinitions[0].Environment.map(({ Name, Value }) => [Name, Value])
    return entries ? [['worker-gpu.Dockerfile', known(Object.fromEntries(entries))]] : []
  })
  return [...lambdas, ...tasks]
}

/** What is known only after the deployment becomes an address. */
const known = (variables: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : 'https://example.org',
    ]),
  )

/** By its ENV, and by the script that starts the program. */
function setByImage(file: string): Record<string, string> {
  const entry = readFileSync(`${ROOT}containers/worker-entry.sh`, 'utf8')
  const exported = /^export (.+)$/m.exec(entry)![1]!.split(' ')
  const { stages } = readDockerfile(file)
  return { ...stages.at(-1)!.env, ...Object.fromEntries(exported.map((name) => [name, 'set'])) }
}

describe('an image and its deployment', () => {
  const all = workers()

  it('are there for both kinds of worker', () => {
    expect(new Set(all.map(([file]) => file)).size).toBe(2)
  })

  it.each(all)('give a worker of %s all that it reads', (file, told) => {
    const environment = { ...setByImage(file), ...told }
    expect(WorkerEnvironment.safeParse(environment).error?.issues).toBeUndefined()
    expect(PollerEnvironment.safeParse(environment).error?.issues).toBeUndefined()
  })

  it.each(all)('of %s each set what is theirs', (file, told) => {
    const ofTheImage = Object.keys(BY_THE_IMAGE)
    expect(Object.keys(setByImage(file))).toEqual(expect.arrayContaining(ofTheImage))
    expect(Object.keys(told).filter((name) => ofTheImage.includes(name))).toEqual([])
  })

  it.each(all)('tell a worker of %s nothing that it does not read', (_, told) => {
    const shapes = [WorkerEnvironment, PollerEnvironment, CacheEnvironment].map(({ shape }) => shape)
    const read = new Set(shapes.flatMap((shape) => Object.keys(shape)))
    expect(Object.keys(told).filter((name) => !read.has(name))).toEqual([])
  })
})
