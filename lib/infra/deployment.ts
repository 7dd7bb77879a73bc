import { type App, type StackProps, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { DataStack } from './stacks/data.ts'
import { GpuStack } from './stacks/gpu.ts'
import { MonitoringStack } from './stacks/monitoring.ts'
import { ServiceStack } from './stacks/service.ts'
import { type Stage, usesGpu } from './stages.ts'

/**
 * The stacks of one stage: what holds data, what can be thrown away and made anew, what looks at it, and machines with a GPU if the
 * stage wants any. Synthesis fails on any finding of cdk-nag that nobody has given a reason for.
 */
export function buildDeployment(app: App, stage: Stage) {
  const name = `verbatim-${stage.name}`
  const props: StackProps = {
    env: {
      ...(stage.account !== undefined && { account: stage.account }),
      ...(stage.region !== undefined && { region: stage.region }),
    },
    terminationProtection: stage.keepData,
  }
  const data = new DataStack(app, `${name}-data`, { ...props, stage })
  const service = new ServiceStack(app, name, { ...props, terminationProtection: false, stage, data })
  const gpu = !usesGpu(stage)
    ? undefined
    : new GpuStack(app, `${name}-gpu`, { ...props, terminationProtection: false, stage, data })
  const monitoring = new MonitoringStack(app, `${name}-monitoring`, {
    ...{ ...props, terminationProtection: false, stage, data, service },
  })
  Tags.of(app).add('service', 'verbatim')
  Tags.of(app).add('stage', stage.name)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  return { data, service, monitoring, ...(gpu && { gpu }) }
}
