import { join } from 'node:path'
import { type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { DeliverVariables, FunctionVariables, SessionVariables } from '../../adapters/aws/environment.ts'
import { ROOT } from '../root.ts'
import type { Stage } from '../stages.ts'
import { functionRole } from './function-role.ts'

export interface SmallFunctionProps {
  readonly stage: Stage
  /** Name of the file in lambdas/aws. */
  readonly entry: string
  readonly description: string
  readonly timeout: Duration
  readonly memoryMb?: number
  readonly environment: FunctionVariables & (SessionVariables | DeliverVariables)
  /** How many of it may run at once; so many are set aside for it. Left out: the account's limit. */
  readonly mostAtOnce?: number | undefined
}

/** A bundled function on Node 24, with logs that go after a while. */
export class SmallFunction extends Construct {
  readonly fn: NodejsFunction
  readonly logs: LogGroup

  constructor(scope: Construct, id: string, props: SmallFunctionProps) {
    super(scope, id)
    const { stage, entry, description, timeout, memoryMb = 512, environment, mostAtOnce } = props
    this.logs = new LogGroup(this, 'Logs', { retention: stage.logDays, removalPolicy: RemovalPolicy.DESTROY })
    this.fn = new NodejsFunction(this, 'Function', {
      ...{ description, timeout, memorySize: memoryMb, environment: { ...environment } },
      ...(mostAtOnce !== undefined && { reservedConcurrentExecutions: mostAtOnce }),
      entry: join(ROOT, 'lambdas/aws', `${entry}.ts`),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: functionRole(this, 'Role', this.logs),
      logGroup: this.logs,
      tracing: Tracing.ACTIVE,
      projectRoot: ROOT,
      depsLockFilePath: join(ROOT, 'package-lock.json'),
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        minify: true,
        mainFields: ['module', 'main'],
        // The SDK of package-lock.json and not whichever the runtime has this month.
        externalModules: [],
        esbuildArgs: { '--legal-comments': 'none' },
        // Packages written for CommonJS call require, which an ES module does not have.
        banner: "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);",
      },
    })
  }
}
