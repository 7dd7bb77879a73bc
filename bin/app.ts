import { App } from 'aws-cdk-lib'
import { buildDeployment } from '../lib/infra/deployment.ts'
import { stageNamed } from '../lib/infra/stages.ts'

const app = new App()
buildDeployment(app, stageNamed(String(app.node.tryGetContext('stage') ?? 'dev')))
