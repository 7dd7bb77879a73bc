import type { CompleteRequest, UploadReply, UploadRequest } from '../contract.ts'
import { digestOf } from '../digest.ts'
import { VerbatimError } from '../errors.ts'
import { type JobIn, type JobOptions, jobBase } from '../job.ts'
import { uploadKey } from '../keys.ts'
import { languageCode } from '../languages.ts'
import type { Clock, JobStore, ObjectStore } from '../ports.ts'
import type { BatchSettings } from '../settings.ts'
import { type EstimatePorts, quote } from './estimate.ts'

export interface UploadPorts extends EstimatePorts {
  readonly jobs: JobStore
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly newJobId: () => string
  /** May this URL be asked at all? Left out: there are no webhooks. */
  readonly mayPostTo?: (url: string) => boolean
}

const MIB = 1024 ** 2
/** A plan stays below 1,000 URLs (S3 allows 10,000 parts of at least 5 MiB); smaller parts repeat less after a break. */
const MIN_PART_BYTES = 16 * MIB
const MAX_PARTS = 1000

/** Makes a job and the presigned URL (or plan of parts) that its recording is sent to. */
export const requestUpload =
  (ports: UploadPorts) =>
  async (tenant: string, request: UploadRequest, idempotencyKey?: string): Promise<UploadReply> => {
    const { jobs, objects, settings } = ports
    checkSize(request.sizeBytes, settings)
    checkWebhook(ports, request.webhookUrl)
    const job = await newJob(ports, tenant, request)
    const estimate = await quote(ports, request)
    const quoted = estimate && { estimate }
    const idempotency = idempotencyKey && { key: idempotencyKey, fingerprint: await digestOf(request) }
    const created = await jobs.create(job, idempotency || undefined)
    if (created.outcome === 'created') return { ...(await uploadReply(objects, job)), ...quoted }

    if (job.upload.multipart) await objects.abortMultipart(uploadKey(job), job.upload.multipart.uploadId)
    if (!idempotency || created.fingerprint !== idempotency.fingerprint) {
      throw new VerbatimError('idempotency-conflict', 'This Idempotency-Key belongs to another request.')
    }
    return { ...(await repeatReply(ports, tenant, created.jobId, job)), ...quoted }
  }

function checkSize(sizeBytes: number, { maxUploadBytes }: BatchSettings): void {
  if (sizeBytes === 0) throw new VerbatimError('empty-audio', 'The file is empty.')
  if (sizeBytes > maxUploadBytes) {
    throw new VerbatimError('too-large', `The file is larger than the limit of ${maxUploadBytes} bytes.`)
  }
}

function checkWebhook({ mayPostTo = () => false }: UploadPorts, url: string | undefined): void {
  if (url === undefined || mayPostTo(url)) return
  throw new VerbatimError('bad-request', 'body.webhookUrl: this service does not post there.', {
    hint: 'Use an https URL without user name whose host has a public address; the operator may allow others.',
  })
}

async function newJob(
  ports: UploadPorts,
  tenant: string,
  request: UploadRequest,
): Promise<JobIn<'UPLOADING'>> {
  const now = ports.clock()
  const ref = { tenant, jobId: ports.newJobId() }
  const { filename, contentType, sizeBytes } = request
  return {
    ...ref,
    ...{ version: 1, status: 'UPLOADING', filename, contentType, sizeBytes, createdAt: now, updatedAt: now },
    options: optionsOf(request),
    upload: {
      expiresAt: now + ports.settings.uploadTtlMs,
      ...(request.multipart && { multipart: await startMultipart(ports.objects, ref, request) }),
    },
  }
}

function optionsOf(request: UploadRequest): JobOptions {
  const { language, prompt, channels, formats, metadata, allowPartial, webhookUrl } = request
  const code = language === undefined ? undefined : languageCode(language)
  return {
    channels,
    formats,
    ...(code !== undefined && { language: code }),
    ...(prompt !== undefined && { prompt }),
    ...(metadata !== undefined && { metadata }),
    ...(allowPartial && { allowPartial }),
    ...(webhookUrl !== undefined && { webhookUrl }),
  }
}

async function startMultipart(
  objects: ObjectStore,
  ref: { tenant: string; jobId: string },
  { sizeBytes, contentType }: UploadRequest,
) {
  const partSizeBytes = Math.max(MIN_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS / MIB) * MIB)
  const uploadId = await objects.startMultipart({ key: uploadKey(ref), contentType })
  return { uploadId, partSizeBytes, parts: Math.ceil(sizeBytes / partSizeBytes) }
}

/** The same request again gets the same job; its URLs hold as long as the first ones. */
async function repeatReply(
  { jobs, objects, clock }: UploadPorts,
  tenant: string,
  jobId: string,
  fresh: JobIn<'UPLOADING'>,
): Promise<UploadReply> {
  const job = await jobs.get(tenant, jobId)
  if (!job) throw new VerbatimError('unknown-job', 'The job of this Idempotency-Key has been erased.')
  const upload = job.status === 'UPLOADING' ? job.upload : undefined
  if (job.status === 'EXPIRED' || (upload && upload.expiresAt <= clock())) {
    throw new VerbatimError('upload-expired', 'The upload of this Idempotency-Key was not made in time.')
  }
  // Once the recording has arrived its upload is forgotten; a second PUT is then accepted and ignored.
  return uploadReply(objects, {
    ...fresh,
    ...jobBase(job),
    status: 'UPLOADING',
    upload: upload ?? { expiresAt: fresh.upload.expiresAt },
  })
}

async function uploadReply(objects: ObjectStore, job: JobIn<'UPLOADING'>): Promise<UploadReply> {
  const { jobId, contentType, sizeBytes, upload } = job
  const key = uploadKey(job)
  const { expiresAt, multipart } = upload
  const until = new Date(expiresAt).toISOString()
  if (!multipart) {
    const { url, headers } = await objects.presignPut({ key, contentType, sizeBytes, expiresAt })
    return { jobId, uploadUrl: url, method: 'PUT', headers: { ...headers }, expiresAt: until }
  }
  const { uploadId, partSizeBytes, parts } = multipart
  const urls = Array.from({ length: parts }, (_, index) =>
    objects.presignPart({
      ...{ key, uploadId, partNumber: index + 1, expiresAt },
      sizeBytes: Math.min(partSizeBytes, sizeBytes - index * partSizeBytes),
    }),
  )
  const signed = await Promise.all(urls)
  const partUrls = signed.map(({ url }) => url)
  return { jobId, uploadId, partSizeBytes, partUrls, headers: { ...signed[0]?.headers }, expiresAt: until }
}

/** Joins the parts of a multipart upload; the object's creation then starts the work. Repeating it is harmless. */
export const completeUpload =
  ({ jobs, objects }: Pick<UploadPorts, 'jobs' | 'objects'>) =>
  async (tenant: string, jobId: string, request: CompleteRequest): Promise<void> => {
    const job = await jobs.get(tenant, jobId)
    if (!job) throw new VerbatimError('unknown-job', 'There is no such job.')
    if (job.status === 'EXPIRED')
      throw new VerbatimError('upload-expired', 'The upload was not made in time.')
    if (job.status === 'CANCELLED') throw new VerbatimError('cancelled', 'The job was cancelled.')
    if (job.status !== 'UPLOADING') return
    const { multipart } = job.upload
    if (!multipart) {
      throw new VerbatimError('wrong-state', 'This upload has a single URL: there are no parts to join.')
    }
    // Joined already, its event on the way: the store no longer knows the parts.
    if (await objects.head(uploadKey(job))) return
    const arrived = await objects.listParts(uploadKey(job), multipart.uploadId)
    const bytes = arrived.reduce((sum, part) => sum + part.sizeBytes, 0)
    if (arrived.length !== multipart.parts || bytes !== job.sizeBytes) {
      const message = `${arrived.length} of ${multipart.parts} parts with ${bytes} of ${job.sizeBytes} bytes have arrived.`
      throw new VerbatimError('upload-incomplete', message)
    }
    const { parts = arrived } = request
    if (parts.length !== multipart.parts) {
      throw new VerbatimError('upload-incomplete', `${parts.length} of ${multipart.parts} parts are named.`)
    }
    await objects.completeMultipart(uploadKey(job), multipart.uploadId, parts)
  }
