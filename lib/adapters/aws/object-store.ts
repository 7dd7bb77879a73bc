import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { ObjectInfo, ObjectStore } from '../../core/ports.ts'
import { download } from './download.ts'
import { isMissing, withAwsErrors } from './errors.ts'
import { createMultipart } from './multipart.ts'
import { createPresigner } from './presign.ts'
import { createPutStream } from './put-stream.ts'

export interface ObjectStoreOptions {
  readonly bucket: string
  /** Where `toFile` puts its files. */
  readonly scratchDir: string
}

/** The most keys that one DeleteObjects takes. */
const MOST_KEYS = 1000

/**
 * Objects in an S3 bucket. S3 answers 403 instead of 404 to whoever may not list the bucket, so every role that uses
 * this needs s3:ListBucket.
 */
export function createObjectStore(s3: S3Client, { bucket, scratchDir }: ObjectStoreOptions): ObjectStore {
  const Bucket = bucket

  async function head(key: string): Promise<ObjectInfo | undefined> {
    const found = await unlessMissing(s3.send(new HeadObjectCommand({ Bucket, Key: key })))
    return (
      found && {
        key,
        sizeBytes: found.ContentLength ?? 0,
        contentType: found.ContentType ?? 'application/octet-stream',
        etag: found.ETag ?? '',
      }
    )
  }

  const putStream = createPutStream(s3, bucket)

  return withAwsErrors<ObjectStore>({
    head,
    putStream,
    ...createPresigner(s3, bucket),
    ...createMultipart(s3, bucket, async (key) => (await head(key)) !== undefined),

    async put(key, body, contentType) {
      const Body = Buffer.from(body)
      // The SDK takes an empty body for a stream unless it is told the length.
      const ContentLength = Body.length
      await s3.send(
        new PutObjectCommand({ ...{ Bucket, Key: key, Body, ContentLength }, ContentType: contentType }),
      )
    },

    async get(key) {
      const found = await unlessMissing(s3.send(new GetObjectCommand({ Bucket, Key: key })))
      return found?.Body?.transformToByteArray()
    },

    async list(prefix) {
      const keys: string[] = []
      const pages = paginateListObjectsV2({ client: s3 }, { Bucket, Prefix: prefix })
      for await (const { Contents = [] } of pages) keys.push(...Contents.map(({ Key }) => Key!))
      return keys
    },

    async remove(keys) {
      for (let from = 0; from < keys.length; from += MOST_KEYS) {
        const Objects = keys.slice(from, from + MOST_KEYS).map((Key) => ({ Key }))
        const { Errors = [] } = await s3.send(
          new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
        )
        const [failed] = Errors
        // The reply is a success even when nothing could be deleted.
        if (failed) throw Object.assign(new Error('S3 has not deleted an object.'), { name: failed.Code })
      }
    },

    async toFile(key) {
      await mkdir(scratchDir, { recursive: true })
      const path = join(scratchDir, `object-${randomUUID()}`)
      const there = await unlessMissing(download(s3, bucket, key, path).then(() => true))
      return there ? { path, release: () => rm(path, { force: true }) } : undefined
    },
  })
}

async function unlessMissing<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
}
