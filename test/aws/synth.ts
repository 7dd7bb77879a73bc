import { readFileSync } from 'node:fs'
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import { createApp } from '../../lib/infra/app.ts'
import { buildDeployment } from '../../lib/infra/deployment.ts'
import { Stage, stageNamed } from '../../lib/infra/stages.ts'

// node synth.ts STAGE NAME BUCKET FOLDER: the templates and assets of a stage, as bin/app.ts makes them, but under
// a name of their own beside other deployments, with the assets in BUCKET. A program and no part of a test, as jest
// would load the CDK into its own little world, where esbuild does not start.

const [stage, name, bucket, outdir] = process.argv.slice(2) as [string, string, string, string]
const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))
const app = createApp({ outdir, context }, { fileAssetsBucketName: bucket })
const { service } = buildDeployment(app, Stage.parse({ ...stageNamed(stage), name }))
// An emulator needs docker and the image to run it, and would only take the jobs from the worker that the test starts.
for (const worker of [service.worker, service.liveWorker]) {
  for (const child of worker?.node.findAll() ?? []) {
    if (child instanceof CfnEventSourceMapping) child.enabled = false
  }
}
app.synth()
