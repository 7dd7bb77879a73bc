import { openapiHandler } from '../api/about.ts'
import { composeAbout } from './compose.ts'
import { invoked } from './invoked.ts'

const ports = composeAbout()

export const handler = invoked(ports, openapiHandler(ports))
