import { listJobs, readStatus, type StatusPorts, viewJob } from '../../lib/core/batch/6-status.ts'
import { cancelJob, type EraseJobPorts, eraseJob } from '../../lib/core/batch/erase.ts'
import { ListQuery } from '../../lib/core/contract.ts'
import { forCallers, type HttpEvent, type HttpHandler, type HttpPorts, json, parse } from './http.ts'

type Ports = HttpPorts & StatusPorts

const jobIdOf = (event: HttpEvent): string => event.pathParameters?.jobId ?? ''

/** GET /status/{jobId} */
export const statusHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => json(200, await readStatus(ports)(tenant, jobIdOf(event))))

/** GET /jobs */
export const listHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const { status, cursor, limit } = parse(ListQuery, event.queryStringParameters ?? {}, 'query')
    const page = { limit, ...(status && { status }), ...(cursor !== undefined && { cursor }) }
    return json(200, await listJobs(ports)(tenant, page))
  })

/** POST /jobs/{jobId}/cancel */
export const cancelHandler = (ports: Ports): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) =>
    json(200, viewJob(await cancelJob(ports)(tenant, jobIdOf(event)))),
  )

/** DELETE /jobs/{jobId} */
export const eraseHandler = (ports: Ports & EraseJobPorts): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    await eraseJob(ports)(tenant, jobIdOf(event))
    return { statusCode: 204 }
  })
