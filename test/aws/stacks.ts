import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CreateBucketCommand, DeleteBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { s3Client } from '../../lib/adapters/aws/clients.ts'
import { createObjectStore } from '../../lib/adapters/aws/object-store.ts'
import { createStack, deleteStack, listExports, physicalIds, type Template } from './cloudformation.ts'
import { zipped } from './zip.ts'

// The synthesized templates, deployed: what `cdk deploy` does, without docker and bootstrap.

const SYNTH = fileURLToPath(new URL('synth.ts', import.meta.url))
const run = promisify(execFile)

interface Assets {
  readonly files: Record<
    string,
    { source: { path: string; packaging: string }; destinations: Record<string, { objectKey: string }> }
  >
}

/**
 * Deploys what holds data, the service of a stage and what watches it, under a name of their own. `workDir`, an empty
 * folder, gets templates and bundles. `dispose` deletes all of it again.
 */
export async function deployStacks(stage: string, workDir: string) {
  const name = `test-${randomBytes(4).toString('hex')}`
  const assets = `verbatim-${name}-assets`
  const made: string[] = []
  const buckets = [assets]

  async function create(stack: string) {
    const template = await readJson<Template>(join(workDir, `${stack}.template.json`))
    await upload(workDir, stack, assets)
    made.unshift(stack)
    return { template, outputs: await createStack(stack, template) }
  }

  /** CloudFormation deletes no bucket that is not empty. */
  async function dispose() {
    for (const bucket of buckets) await empty(bucket, workDir)
    for (const stack of made) await deleteStack(stack)
    await s3Client().send(new DeleteBucketCommand({ Bucket: assets }))
  }

  await s3Client().send(new CreateBucketCommand({ Bucket: assets }))
  try {
    await run(process.execPath, [SYNTH, stage, name, assets, workDir], { maxBuffer: 2 ** 26 })
    await create(`verbatim-${name}-data`)
    const { template, outputs } = await create(`verbatim-${name}`)
    const { ApiUrl = '', TableName = '', BucketName = '', EventsUrl = '' } = outputs
    buckets.push(BucketName)
    await create(`verbatim-${name}-monitoring`)
    const watching = await physicalIds(`verbatim-${name}-monitoring`)
    const imports = await listExports()
    const held = await physicalIds(`verbatim-${name}-data`)
    return {
      ...{ url: ApiUrl, eventsUrl: EventsUrl, table: TableName, bucket: BucketName, dispose },
      /** The physical id of what holds data and whose logical id begins so. */
      held: (id: string) => [...held].find(([name]) => name.startsWith(id))![1],
      /** Names of alarms, without the stage's. */
      alarms: [...watching.values()].map((it) => it.replace(`verbatim-${name}-`, '')),
      /** The environment that the template gives the function whose logical id begins so. */
      variablesOf: (id: string) => variablesOf(template, id, imports),
    }
  } catch (error) {
    await dispose().catch(() => undefined)
    throw error
  }
}

export type Stacks = Awaited<ReturnType<typeof deployStacks>>

const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8'))

/** Bundles go as zip archives to where the template says that they are. */
async function upload(workDir: string, stack: string, Bucket: string): Promise<void> {
  const { files } = await readJson<Assets>(join(workDir, `${stack}.assets.json`))
  for (const { source, destinations } of Object.values(files)) {
    if (source.packaging !== 'zip') continue
    const Body = await zipped(join(workDir, source.path))
    for (const { objectKey: Key } of Object.values(destinations)) {
      await s3Client().send(new PutObjectCommand({ Bucket, Key, Body }))
    }
  }
}

async function empty(bucket: string, scratchDir: string): Promise<void> {
  const objects = createObjectStore(s3Client(), { bucket, scratchDir })
  await objects.remove(await objects.list(''))
}

function variablesOf({ Resources }: Template, id: string, imports: Map<string, string>) {
  const found = Object.entries(Resources).find(
    ([name, { Type }]) => Type === 'AWS::Lambda::Function' && name.startsWith(id),
  )
  const { Variables } = found![1].Properties.Environment as {
    Variables: Record<string, string | { 'Fn::ImportValue': string }>
  }
  const resolved = Object.entries(Variables).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : imports.get(value['Fn::ImportValue'])!,
  ])
  return Object.fromEntries(resolved) as Record<string, string>
}
