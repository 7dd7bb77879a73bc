import { onUploadHandler } from '../events/on-upload.ts'
import { composeEvents } from './compose.ts'
import { invoked } from './invoked.ts'

const ports = composeEvents()

export const handler = invoked(ports, onUploadHandler(ports))
