import { eraseHandler } from '../api/jobs.ts'
import { composeApi } from './compose.ts'
import { invoked } from './invoked.ts'

const ports = composeApi()

export const handler = invoked(ports, eraseHandler(ports))
