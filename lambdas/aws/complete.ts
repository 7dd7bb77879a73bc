import { completeHandler } from '../api/upload.ts'
import { composeApi } from './compose.ts'

export const handler = completeHandler(composeApi())
