import type { IncomingMessage, ServerResponse } from 'node:http'
import { VerbatimError } from '../../core/errors.ts'
import type { LocalObjectStore } from './object-store.ts'
import type { Claims } from './presign.ts'

/**
 * Stores the body as the object, or part, that the URL was signed for, if it is exactly what was signed. The reply
 * is sent when the object is durable; a body that breaks off leaves nothing.
 */
export async function receiveObject(
  store: LocalObjectStore,
  claims: Claims,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  checkHeaders(claims, req)
  const { key, uploadId, part, type = '', length = 0 } = claims
  const body = exactly(length, req)
  const etag =
    uploadId !== undefined && part !== undefined
      ? await store.writePart(key, uploadId, part, body)
      : await store.write(key, type, body)
  res.writeHead(200, { ETag: etag, 'Content-Length': 0 })
  res.end()
}

function checkHeaders({ type, length }: Claims, { headers }: IncomingMessage): void {
  if (headers['content-length'] === undefined) {
    throw new VerbatimError('bad-request', 'The request has no Content-Length.', {
      hint: 'Send the file with its length, not in chunks.',
    })
  }
  if (headers['content-length'] !== String(length)) {
    throw new VerbatimError('forbidden', `The URL is for ${length} bytes.`, {
      hint: 'Send exactly the file whose size was given, or ask for a new URL.',
    })
  }
  if (type !== undefined && headers['content-type'] !== type) {
    throw new VerbatimError('forbidden', 'The URL is for another Content-Type.', {
      hint: 'Send the headers that came with the URL.',
    })
  }
}

/** Node's parser ends a body at its Content-Length and fails one that breaks off; relied upon, but checked. */
async function* exactly(length: number, body: IncomingMessage): AsyncGenerator<Uint8Array> {
  let seen = 0
  // On a full disk the request must stay open, or the client would not hear of it.
  for await (const bytes of body.iterator({ destroyOnReturn: false })) {
    seen += bytes.length
    yield bytes
  }
  if (seen !== length) throw new VerbatimError('bad-request', 'The body broke off.')
}
