import { eraseHandler } from '../api/jobs.ts'
import { composeApi } from './compose.ts'

export const handler = eraseHandler(composeApi())
