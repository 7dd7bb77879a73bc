import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { VerbatimError } from '../../core/errors.ts'
import type { ObjectInfo } from '../../core/ports.ts'
import { attachment } from '../content-disposition.ts'
import { parseRange } from './http-range.ts'
import type { LocalObjectStore } from './object-store.ts'
import type { Claims } from './presign.ts'

/** Sends the object, or one range of it, as a file to save. */
export async function sendObject(
  store: LocalObjectStore,
  claims: Claims,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const opened = await store.open(claims.key)
  if (!opened) throw new VerbatimError('not-found', 'There is no such object.')
  const { info, handle } = opened
  try {
    const range = writeHead(claims, info, req, res)
    if (!range || req.method === 'HEAD') {
      res.end()
      return
    }
    await pipeline(handle.createReadStream({ ...range, autoClose: false }), res)
  } finally {
    await handle.close()
  }
}

/** Sends the status and the headers; returns the bytes that are to follow, if any. */
function writeHead(claims: Claims, info: ObjectInfo, req: IncomingMessage, res: ServerResponse) {
  const { etag, sizeBytes, contentType } = info
  res.setHeader('ETag', etag)
  res.setHeader('Cache-Control', 'private, no-store')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  res.setHeader('Accept-Ranges', 'bytes')
  if (etagsOf(req.headers['if-none-match']).includes(etag)) {
    res.writeHead(304)
    return undefined
  }
  const range = rangeOf(req, info)
  if (range === 'unsatisfiable') {
    res.writeHead(416, { 'Content-Range': `bytes */${sizeBytes}`, 'Content-Length': 0 })
    return undefined
  }
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 }
  if (range) res.setHeader('Content-Range', `bytes ${start}-${end}/${sizeBytes}`)
  res.writeHead(range ? 206 : 200, {
    'Content-Type': claims.type ?? contentType,
    'Content-Length': end - start + 1,
    'Content-Disposition': attachment(claims.filename ?? 'download'),
  })
  return sizeBytes > 0 ? { start, end } : undefined
}

/** A client that resumes another version of the object (If-Range) gets all of this one. */
function rangeOf(req: IncomingMessage, { etag, sizeBytes }: ObjectInfo) {
  const ifRange = req.headers['if-range']
  return ifRange === undefined || ifRange === etag ? parseRange(req.headers.range, sizeBytes) : undefined
}

const etagsOf = (header = ''): string[] => header.split(',').map((etag) => etag.trim().replace(/^W\//, ''))
