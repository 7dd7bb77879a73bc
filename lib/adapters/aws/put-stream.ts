import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { ObjectStore } from '../../core/ports.ts'

/** What is held in memory at once. 10,000 parts (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html) make 156 GB. */
const PART_BYTES = 16 * 1024 ** 2

/** Stores a stream of unknown length: what fits a part at once, what does not in parts, which a failure takes back. */
export function createPutStream(s3: S3Client, Bucket: string): ObjectStore['putStream'] {
  return async (key, source, contentType) => {
    const target = { Bucket, Key: key }
    let uploadId: string | undefined
    const done: CompletedPart[] = []
    try {
      for await (const { bytes, last } of partsOf(source)) {
        // The SDK takes an empty body for a stream unless it is told the length.
        const sent = { ...target, Body: bytes, ContentLength: bytes.length }
        if (last && uploadId === undefined) {
          await s3.send(new PutObjectCommand({ ...sent, ContentType: contentType }))
          return
        }
        uploadId ??= await start(s3, target, contentType)
        const part = { UploadId: uploadId, PartNumber: done.length + 1 }
        const { ETag } = await s3.send(new UploadPartCommand({ ...sent, ...part }))
        done.push({ ETag, PartNumber: part.PartNumber })
      }
      const MultipartUpload = { Parts: done }
      await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId: uploadId, MultipartUpload }))
    } catch (thrown) {
      // A part that stays behind is removed by the bucket's own rule after a week.
      const abort = new AbortMultipartUploadCommand({ ...target, UploadId: uploadId })
      if (uploadId !== undefined) await s3.send(abort).catch(() => undefined)
      throw thrown
    }
  }
}

async function start(s3: S3Client, target: { Bucket: string; Key: string }, contentType: string) {
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ ...target, ContentType: contentType }),
  )
  return UploadId!
}

/** The stream in parts of one length; the last may be shorter, and is there even when the stream is empty. */
async function* partsOf(source: AsyncIterable<Uint8Array>) {
  let held = Buffer.alloc(PART_BYTES)
  let length = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      if (length === PART_BYTES) {
        yield { bytes: held, last: false }
        held = Buffer.alloc(PART_BYTES)
        length = 0
      }
      const part = piece.subarray(at, at + PART_BYTES - length)
      held.set(part, length)
      length += part.length
      at += part.length
    }
  }
  yield { bytes: held.subarray(0, length), last: true }
}
