import { cancelHandler } from '../api/jobs.ts'
import { composeApi } from './compose.ts'

export const handler = cancelHandler(composeApi())
