import { JobStatus } from '../lib/core/contract.ts'
import { VerbatimError } from '../lib/core/errors.ts'
import { type Api, refusal } from './http.ts'
import { type PutReply, type PutTarget, put } from './put.ts'
import { retrying } from './retry.ts'
import type { Source } from './source.ts'

export interface PutOptions {
  readonly jobId: string
  readonly expiresAt: string
  readonly signal: AbortSignal | undefined
  readonly onSent: (bytes: number) => void
}

/** Undefined: an earlier try got through although its reply was lost. */
export function putRetrying(
  api: Api,
  target: PutTarget,
  source: Source,
  range: { start: number; length: number },
  { jobId, expiresAt, signal, onSent }: PutOptions,
): Promise<PutReply | undefined> {
  const { stallMs } = api.pace
  return retrying(
    async (n) => {
      onSent(0)
      const reply = await put(target, source, range, { stallMs, signal, onSent })
      if (reply.status >= 200 && reply.status < 300) return reply
      const refused = refusalOf(reply, Date.parse(expiresAt))
      if (n > 1 && !refused.traits.retry && (await hasArrived(api, jobId, signal))) return undefined
      throw refused
    },
    { ...api.pace, patienceMs: Number.POSITIVE_INFINITY, signal },
  )
}

/** S3 answers in XML; https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. */
function refusalOf({ status, headers, text }: PutReply, expiresAt: number): VerbatimError {
  if (status === 400 && /<Code>(RequestTimeout|IncompleteBody)<\/Code>/.test(text)) {
    return new VerbatimError('network', 'The store lost the connection.')
  }
  if (status === 403 && (Date.now() >= expiresAt || /expired/i.test(text))) {
    return new VerbatimError('upload-expired', 'The upload URL has expired.')
  }
  const retryAfter = headers['retry-after'] ?? null
  if (status === 408 || status === 429 || status >= 500) return refusal(status, retryAfter, text)
  const reply = refusal(status, null, text)
  const told = reply.message.startsWith('The service') ? `The store answered ${status}.` : reply.message
  return new VerbatimError(reply.code, told, { hint: reply.hint })
}

/** The service has got the recording, whatever the connection to us did. */
export async function hasArrived(api: Api, jobId: string, signal?: AbortSignal): Promise<boolean> {
  const job = await api.call('GET', `/status/${jobId}`, { schema: JobStatus, signal })
  return ['QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED'].includes(job.status)
}
