import { sessionHandler } from '../api/live.ts'
import { composeLiveApi } from './compose-live.ts'
import { invoked } from './invoked.ts'

const ports = composeLiveApi()

export const handler = invoked(ports, sessionHandler(ports))
