import { uploadHandler } from '../api/upload.ts'
import { composeApi } from './compose.ts'

export const handler = uploadHandler(composeApi())
