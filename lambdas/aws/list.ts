import { listHandler } from '../api/jobs.ts'
import { composeApi } from './compose.ts'
import { invoked } from './invoked.ts'

const ports = composeApi()

export const handler = invoked(ports, listHandler(ports))
