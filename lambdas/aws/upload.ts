import { uploadHandler } from '../api/upload.ts'
import { composeApi } from './compose.ts'
import { invoked } from './invoked.ts'

const ports = composeApi()

export const handler = invoked(ports, uploadHandler(ports))
