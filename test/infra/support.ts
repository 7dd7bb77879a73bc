import { readFileSync, rmSync } from 'node:fs'
import { Template } from 'aws-cdk-lib/assertions'
import { AwsSolutionsChecks } from 'cdk-nag'
import { z } from 'zod'
import { createApp } from '../../lib/infra/app.ts'
import { buildDeployment } from '../../lib/infra/deployment.ts'
import { Stage, stageNamed } from '../../lib/infra/stages.ts'

const { context } = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')))

/** Bundles are not made, as only their names would be in a template; CDK's own rules are for `npm run synth`. */
const FAST = {
  'aws:cdk:bundling-stacks': [],
  'aws:cdk:disable-stack-trace': true,
  '@aws-cdk/core:validateAgainstDefaultRules': false,
}

/** A stage that uses everything there is: a customer key, and both kinds of worker. */
export const FULL = Stage.parse({
  ...stageNamed('prod'),
  name: 'full',
  compute: 'both',
  alarmEmail: 'operator@example.org',
  gpu: { network: 'private' },
})

/** The templates of a stage, with cdk.json's flags; made once for each test file. */
export function templatesOf(stage: Stage): Deployment {
  const key = JSON.stringify(stage)
  const known = built.get(key) ?? build(stage)
  built.set(key, known)
  return known
}

type Deployment = ReturnType<typeof build>
const built = new Map<string, Deployment>()

function build(stage: Stage) {
  const app = createApp({ context: { ...context, ...FAST } })
  const { data, service, monitoring, gpu } = buildDeployment(app, stage)
  const templates = {
    data: Template.fromStack(data),
    service: Template.fromStack(service),
    monitoring: Template.fromStack(monitoring),
    gpu: gpu ? Template.fromStack(gpu) : undefined,
  }
  rmSync(app.outdir, { recursive: true })
  const stacks = [data, service, monitoring, ...(gpu ? [gpu] : [])]
  return {
    ...templates,
    /** Names of the stacks that refuse to be deleted. */
    kept: stacks
      .filter(({ terminationProtection }) => terminationProtection)
      .map(({ stackName }) => stackName),
    findings: () => new AwsSolutionsChecks(app).validateScope(app).violations,
  }
}

const Resources = z.record(
  z.string(),
  z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }).loose(),
)

export const resourcesOf = (template: Template) =>
  Object.entries(Resources.parse(template.toJSON().Resources))

/** Every policy statement of a template, wherever it stands: `path` begins with the logical id. */
export function statementsOf(template: Template) {
  return resourcesOf(template).flatMap(([id, { Type, Properties }]) =>
    statementsIn(Properties).map((statement) => ({ id, type: Type, ...statement })),
  )
}

const Statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string().transform((action) => [action]), z.array(z.string())]),
  Resource: z.unknown().optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  Principal: z.unknown().optional(),
})

/** The same anywhere in a value. */
export function statementsIn(value: unknown): Array<z.infer<typeof Statement>> {
  if (value === null || typeof value !== 'object') return []
  const found = Statement.safeParse(value)
  return found.success ? [found.data] : Object.values(value).flatMap(statementsIn)
}
