import type { Readable } from 'node:stream'
import { Health, JobList, JobStatus } from '../lib/core/contract.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import type { Format, Status } from '../lib/core/job.ts'
import { type Api, createApi, networkError, refusal } from './http.ts'
import { createLiveClient, type LiveClient } from './live/client.ts'
import { queryOf } from './query.ts'
import { PACE, type Pace, retrying } from './retry.ts'
import { openSource, type Source, spoolSource } from './source.ts'
import { type UploadHooks, type UploadOptions, upload } from './upload.ts'
import { completed, findable, readStatus, type WaitOptions, waitFor } from './wait.ts'
import { createWebhookClient, type WebhookClient } from './webhooks.ts'

export type { UploadHooks, UploadOptions, WaitOptions }
export { completed }

export interface ClientOptions {
  /** Where the service is, with the stage's path if it has one. */
  readonly url: string
  readonly token?: string | undefined
  readonly fetch?: typeof fetch
  readonly pace?: Partial<Pace>
}

export interface Stdin {
  readonly stream: Readable
  readonly filename: string
}

/** Everything the service can do for a client. All methods throw VerbatimError, or the reason of an aborted signal. */
export interface Client {
  health(signal?: AbortSignal): Promise<{ status: 'ok'; version: string; model: string }>
  /** Sends a file (a path) or a stream; resolves with the job's id once every byte is stored (upload.ts). */
  upload(from: string | Stdin, options?: UploadOptions, hooks?: UploadHooks): Promise<string>
  status(jobId: string, signal?: AbortSignal): Promise<JobStatus>
  /** Until the job has ended, in whatever way (wait.ts); `completed` turns the outcome into a success or an error. */
  wait(jobId: string, options?: WaitOptions): Promise<JobStatus>
  /** The transcript as a file of that format. Throws `bad-request` when the job was not asked for it. */
  download(jobId: string, format: Format, signal?: AbortSignal): Promise<Uint8Array>
  list(query: ListOptions, signal?: AbortSignal): Promise<JobList>
  /** Harmless for a job that is cancelled already. */
  cancel(jobId: string, signal?: AbortSignal): Promise<JobStatus>
  /** Erases the job with all its files. */
  remove(jobId: string, signal?: AbortSignal): Promise<void>
  readonly live: LiveClient
  readonly webhooks: WebhookClient
}

export interface ListOptions {
  readonly status?: Status | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export function createClient(options: ClientOptions): Client {
  const pace = { ...PACE, ...options.pace }
  const api = createApi({ url: options.url, token: options.token, fetch: options.fetch ?? fetch, pace })
  return {
    health: (signal) => api.call('GET', '/health', { schema: Health, signal }),
    upload: (from, wishes = {}, hooks = {}) => uploadFrom(api, from, wishes, hooks),
    status: (jobId, signal) => readStatus(api, jobId, signal),
    wait: (jobId, wishes = {}) => waitFor(api, jobId, wishes),
    download: (jobId, format, signal) => download(api, jobId, format, signal),
    list: (query, signal) => api.call('GET', `/jobs?${queryOf({ ...query })}`, { schema: JobList, signal }),
    cancel: (jobId, signal) => cancel(api, jobId, signal),
    remove: (jobId, signal) => remove(api, jobId, signal),
    live: createLiveClient(api),
    webhooks: createWebhookClient(api),
  }
}

async function uploadFrom(api: Api, from: string | Stdin, options: UploadOptions, hooks: UploadHooks) {
  hooks.signal?.throwIfAborted()
  const source: Source =
    typeof from === 'string'
      ? await openSource(from)
      : await spoolSource(from.stream, from.filename, hooks.signal)
  try {
    return await upload(api, source, options, hooks)
  } finally {
    await source.close()
  }
}

async function download(api: Api, jobId: string, format: Format, signal?: AbortSignal): Promise<Uint8Array> {
  return retrying(
    async () => {
      // Asked anew each time: the URLs expire.
      const { downloads = {} } = completed(await readStatus(api, jobId, signal))
      const url = downloads[format]
      if (!url) {
        throw new VerbatimError('bad-request', `The transcript was not made as ${format}.`, {
          hint: `It can be had as: ${Object.keys(downloads).join(', ')}.`,
        })
      }
      return fetchBytes(api, url, signal)
    },
    { ...api.pace, signal },
  ).catch((error) => {
    throw findable(error, jobId)
  })
}

async function fetchBytes(api: Api, url: string, signal?: AbortSignal): Promise<Uint8Array> {
  const limits = [AbortSignal.timeout(api.pace.stallMs), ...(signal ? [signal] : [])]
  try {
    const response = await api.fetch(url, { signal: AbortSignal.any(limits) })
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (response.ok) return bytes
    throw refusal(response.status, response.headers.get('retry-after'), Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw networkError(error, url)
  }
}

async function cancel(api: Api, jobId: string, signal?: AbortSignal): Promise<JobStatus> {
  try {
    const path = `/jobs/${encodeURIComponent(jobId)}/cancel`
    return await api.call('POST', path, { schema: JobStatus, signal })
  } catch (error) {
    if (!(error instanceof VerbatimError) || error.code !== 'wrong-state') throw error
    const job = await readStatus(api, jobId, signal)
    if (job.status === 'CANCELLED') return job
    throw error
  }
}

async function remove(api: Api, jobId: string, signal?: AbortSignal): Promise<void> {
  let retried = false
  const onRetry = () => {
    retried = true
  }
  try {
    await api.call('DELETE', `/jobs/${encodeURIComponent(jobId)}`, { schema: null, signal, onRetry })
  } catch (error) {
    // The first try got through although its reply was lost.
    if (!retried || !(error instanceof VerbatimError) || error.traits.http !== 404) throw error
  }
}
