import * as z from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi'
import {
  CompleteRequest,
  Health,
  JobList,
  JobStatus,
  ListQuery,
  UploadReply,
  UploadRequest,
} from '../../lib/core/contract.ts'
import { LIVE_OPERATIONS } from './openapi-live.ts'
import { failures, jsonOf } from './openapi-replies.ts'
import { LIVE_ROUTES, ROUTES, type RouteName } from './routes.ts'

const jobId = z.string().meta({ description: 'The id that POST /upload gave.' })
const OPEN = { security: [] }

const OPERATIONS: Record<RouteName, ZodOpenApiOperationObject> = {
  upload: {
    summary: 'Make a job and get a presigned URL for its recording',
    requestParams: { header: z.object({ 'Idempotency-Key': z.string().optional() }) },
    requestBody: { required: true, ...jsonOf(UploadRequest) },
    responses: {
      '201': { description: 'Send the file there; that starts the work.', ...jsonOf(UploadReply) },
      ...failures(
        'bad-request',
        'unknown-language',
        'empty-audio',
        'too-large',
        'idempotency-conflict',
        'unauthorized',
      ),
    },
  },
  complete: {
    summary: 'Join the parts of a multipart upload',
    requestParams: { path: z.object({ jobId }) },
    requestBody: { required: false, ...jsonOf(CompleteRequest) },
    responses: {
      '200': { description: 'All parts are there.', ...jsonOf(JobStatus) },
      ...failures('bad-request', 'unknown-job', 'upload-incomplete', 'upload-expired', 'unauthorized'),
    },
  },
  status: {
    summary: 'Status, progress and downloads of a job',
    requestParams: { path: z.object({ jobId }) },
    responses: {
      '200': { description: 'The job.', ...jsonOf(JobStatus) },
      ...failures('unknown-job', 'unauthorized'),
    },
  },
  list: {
    summary: "The caller's jobs, newest first",
    requestParams: { query: ListQuery },
    responses: {
      '200': { description: 'One page.', ...jsonOf(JobList) },
      ...failures('bad-request', 'unauthorized'),
    },
  },
  erase: {
    summary: 'Erase audio, work files, transcript and record',
    requestParams: { path: z.object({ jobId }) },
    responses: {
      '204': { description: 'Nothing of it is left.' },
      ...failures('unknown-job', 'unauthorized'),
    },
  },
  cancel: {
    summary: 'Stop a job that has not ended',
    requestParams: { path: z.object({ jobId }) },
    responses: {
      '200': { description: 'The cancelled job.', ...jsonOf(JobStatus) },
      ...failures('unknown-job', 'wrong-state', 'unauthorized'),
    },
  },
  health: {
    summary: 'Is the service there?',
    ...OPEN,
    responses: { '200': { description: 'Yes.', ...jsonOf(Health) } },
  },
  openapi: { summary: 'This document', ...OPEN, responses: { '200': { description: 'OpenAPI 3.1' } } },
}

let made: ReturnType<typeof createDocument> | undefined

/** The OpenAPI document, made once from the contract's schemas. */
export function openapi(version: string): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {}
  const operations = { ...OPERATIONS, ...LIVE_OPERATIONS }
  for (const [name, { method, path }] of Object.entries({ ...ROUTES, ...LIVE_ROUTES })) {
    const operation = { operationId: name, ...operations[name as keyof typeof operations] }
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation }
  }
  made ??= createDocument({
    openapi: '3.1.0',
    info: { title: 'Verbatim', version, description: 'What is said becomes a transcript.' },
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  })
  return made
}
