import { onUploadHandler } from '../events/on-upload.ts'
import { composeEvents } from './compose.ts'

export const handler = onUploadHandler(composeEvents())
