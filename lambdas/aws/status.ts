import { statusHandler } from '../api/jobs.ts'
import { composeApi } from './compose.ts'

export const handler = statusHandler(composeApi())
