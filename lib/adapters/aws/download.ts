import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { awsError } from './errors.ts'

/** A recording may have 20 GB, and one connection seldom lives that long. */
const MOST_ATTEMPTS = 5

/**
 * Streams an object into a new file. A connection that breaks is taken up again where it broke; the tag makes sure
 * that it is still the same object. Nothing is left at `path` when it fails.
 */
export async function download(s3: S3Client, Bucket: string, Key: string, path: string): Promise<void> {
  let IfMatch: string | undefined
  try {
    for (let attempt = 1; ; attempt++) {
      const from = await sizeOf(path)
      const range = IfMatch === undefined || from === 0 ? {} : { IfMatch, Range: `bytes=${from}-` }
      const reply = await s3.send(new GetObjectCommand({ Bucket, Key, ...range }))
      IfMatch = reply.ETag
      try {
        const flags = 'Range' in range ? 'a' : 'w'
        return await pipeline(reply.Body as Readable, createWriteStream(path, { flags, mode: 0o600 }))
      } catch (thrown) {
        if (attempt === MOST_ATTEMPTS || awsError(thrown).code !== 'storage-unavailable') throw thrown
      }
    }
  } catch (thrown) {
    await rm(path, { force: true })
    throw thrown
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )
