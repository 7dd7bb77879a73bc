import { randomUUID } from 'node:crypto'
import { type Estimate, UploadReply, UploadRequest } from '../lib/core/contract.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import type { Api } from './http.ts'
import { hasArrived, putRetrying } from './put-retrying.ts'
import type { Source } from './source.ts'

/** Above this the recording goes up in parts, so that a broken connection costs one part and not everything. */
const MULTIPART_BYTES = 100_000_000
const PARALLEL_PARTS = 4
/** How often a plan whose URLs have expired is replaced by a new one. */
const RENEWALS = 2
/** A clean-up may not hold up a person who pressed Ctrl-C. */
const CLEANUP_MS = 3000

export interface UploadHooks {
  readonly signal?: AbortSignal | undefined
  /** Bytes that the socket has taken; goes down when a broken piece is sent again. */
  readonly onProgress?: ((sentBytes: number, totalBytes: number) => void) | undefined
  /** As soon as the job has an id; a second time if its URLs expired and a new job took its place. */
  readonly onJob?: ((jobId: string) => void) | undefined
  /** What the job will take, before the bytes are sent; not called where the service doesn't know. */
  readonly onEstimate?: ((estimate: Estimate) => void) | undefined
}

export type UploadOptions = Omit<
  (typeof UploadRequest)['_zod']['input'],
  'filename' | 'contentType' | 'sizeBytes' | 'durationMs' | 'multipart'
>

/**
 * Makes a job and sends its recording; resolves with the job's id once every byte is stored. Broken connections,
 * 408, 429 and 5xx are tried again. A job whose upload fails or is aborted is cancelled, not left behind.
 */
export async function upload(
  api: Api,
  source: Source,
  options: UploadOptions,
  hooks: UploadHooks,
): Promise<string> {
  for (let renewal = 0; ; renewal++) {
    const plan = await create(api, source, options, hooks.signal)
    hooks.onJob?.(plan.jobId)
    if (plan.estimate && renewal === 0) hooks.onEstimate?.(plan.estimate)
    try {
      hooks.signal?.throwIfAborted()
      await ('partUrls' in plan ? sendParts(api, plan, source, hooks) : sendWhole(api, plan, source, hooks))
      return plan.jobId
    } catch (error) {
      await abandon(api, plan.jobId)
      const expired = error instanceof VerbatimError && error.code === 'upload-expired'
      if (!expired || renewal >= RENEWALS) throw error
    }
  }
}

/** One key for all tries, so that a reply lost on the way never leaves two jobs. */
async function create(api: Api, source: Source, options: UploadOptions, signal?: AbortSignal) {
  const { filename, contentType, sizeBytes, durationMs } = source
  const request = UploadRequest.safeParse({
    ...options,
    filename: filename.slice(-255),
    contentType,
    sizeBytes,
    ...(durationMs !== undefined && { durationMs }),
    multipart: sizeBytes > MULTIPART_BYTES,
  })
  if (!request.success) {
    const [issue] = request.error.issues
    throw new VerbatimError('bad-request', `${issue?.path.join('.')}: ${issue?.message}.`, {
      hint: 'Correct the option.',
    })
  }
  return await api.call('POST', '/upload', {
    schema: UploadReply,
    body: request.data,
    headers: { 'idempotency-key': randomUUID() },
    signal: signal && grace(signal),
  })
}

/** Lets a call that makes something finish for a moment after an abort, so that we learn what to clean up. */
function grace(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  const arm = () => setTimeout(() => late.abort(signal.reason), CLEANUP_MS).unref()
  if (signal.aborted) late.abort(signal.reason)
  else signal.addEventListener('abort', arm, { once: true })
  return late.signal
}

async function sendWhole(
  api: Api,
  plan: Extract<UploadReply, { uploadUrl: string }>,
  source: Source,
  { signal, onProgress }: UploadHooks,
): Promise<void> {
  const target = { url: plan.uploadUrl, headers: plan.headers }
  const total = source.sizeBytes
  await putRetrying(
    api,
    target,
    source,
    { start: 0, length: total },
    {
      ...plan,
      signal,
      onSent: (bytes) => onProgress?.(bytes, total),
    },
  )
}

async function sendParts(
  api: Api,
  plan: Extract<UploadReply, { partUrls: string[] }>,
  source: Source,
  { signal, onProgress }: UploadHooks,
): Promise<void> {
  const size = plan.partSizeBytes
  const stop = new AbortController()
  const sent = plan.partUrls.map(() => 0)
  const etags: Array<string | undefined> = []
  const waiting = plan.partUrls.entries()
  const worker = async () => {
    for (const [index, url] of waiting) {
      const start = index * size
      const range = { start, length: Math.min(size, source.sizeBytes - start) }
      const reply = await putRetrying(api, { url, headers: plan.headers }, source, range, {
        ...plan,
        signal: AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]),
        onSent(bytes) {
          sent[index] = bytes
          onProgress?.(
            sent.reduce((sum, n) => sum + n),
            source.sizeBytes,
          )
        },
      })
      etags[index] = reply?.headers.etag
    }
  }
  const workers = Array.from({ length: PARALLEL_PARTS }, worker)
  try {
    await Promise.all(workers)
  } catch (error) {
    // The other parts stop too, before anybody closes the file under them.
    stop.abort()
    await Promise.allSettled(workers)
    throw error
  }
  await complete(api, plan.jobId, etags, signal)
}

async function complete(
  api: Api,
  jobId: string,
  etags: Array<string | undefined>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const known = etags.every((etag) => etag !== undefined)
  const parts = etags.map((etag, index) => ({ partNumber: index + 1, etag }))
  try {
    await api.call('POST', `/upload/${jobId}/complete`, {
      schema: null,
      body: known ? { parts } : {},
      signal,
    })
  } catch (error) {
    // A first try may have got through although its reply was lost.
    if (!(error instanceof VerbatimError) || !(await hasArrived(api, jobId, signal))) throw error
  }
}

async function abandon(api: Api, jobId: string): Promise<void> {
  const signal = AbortSignal.timeout(CLEANUP_MS)
  await api.call('POST', `/jobs/${jobId}/cancel`, { schema: null, signal }).catch(() => {})
}
