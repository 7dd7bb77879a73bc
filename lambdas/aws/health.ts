import { healthHandler } from '../api/about.ts'
import { composeAbout } from './compose.ts'
import { invoked } from './invoked.ts'

const ports = composeAbout()

export const handler = invoked(ports, healthHandler(ports))
