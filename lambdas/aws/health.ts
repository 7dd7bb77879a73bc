import { healthHandler } from '../api/about.ts'
import { composeAbout } from './compose.ts'

export const handler = healthHandler(composeAbout())
