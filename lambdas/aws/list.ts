import { listHandler } from '../api/jobs.ts'
import { composeApi } from './compose.ts'

export const handler = listHandler(composeApi())
