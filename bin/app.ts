import { createApp } from '../lib/infra/app.ts'
import { buildDeployment } from '../lib/infra/deployment.ts'
import { stageNamed } from '../lib/infra/stages.ts'

const app = createApp()
buildDeployment(app, stageNamed(String(app.node.tryGetContext('stage') ?? 'dev')))
