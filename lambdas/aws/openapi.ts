import { openapiHandler } from '../api/about.ts'
import { composeAbout } from './compose.ts'

export const handler = openapiHandler(composeAbout())
