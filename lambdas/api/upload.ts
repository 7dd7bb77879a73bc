import * as z from 'zod'
import { completeUpload, requestUpload, type UploadPorts } from '../../lib/core/batch/1-upload.ts'
import { readStatus, type StatusPorts } from '../../lib/core/batch/6-status.ts'
import { CompleteRequest, UploadRequest } from '../../lib/core/contract.ts'
import { forCallers, type HttpHandler, type HttpPorts, json, parse, parseBody } from './http.ts'

/** RFC draft-ietf-httpapi-idempotency-key-header: any string; ours are short and printable. */
const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e ]{1,255}$/, 'at most 255 printable characters')
  .optional()

/** POST /upload */
export const uploadHandler = (ports: HttpPorts & UploadPorts): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const key = parse(IdempotencyKey, event.headers['idempotency-key'], 'Idempotency-Key')
    return json(201, await requestUpload(ports)(tenant, parseBody(UploadRequest, event), key))
  })

/** POST /upload/{jobId}/complete */
export const completeHandler = (ports: HttpPorts & UploadPorts & StatusPorts): HttpHandler =>
  forCallers(ports, async ({ tenant, event }) => {
    const jobId = event.pathParameters?.jobId ?? ''
    await completeUpload(ports)(tenant, jobId, parseBody(CompleteRequest, event))
    return json(200, await readStatus(ports)(tenant, jobId))
  })
