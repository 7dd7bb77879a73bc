import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  paginateListParts,
  type S3Client,
} from '@aws-sdk/client-s3'
import { VerbatimError } from '../../core/errors.ts'
import type { ObjectStore, PartRef } from '../../core/ports.ts'
import { awsName } from './errors.ts'

type Multipart = Pick<ObjectStore, 'startMultipart' | 'listParts' | 'completeMultipart' | 'abortMultipart'>

/** Parts that are missing, out of order, too short or not as they were sent; S3 calls an empty list malformed. */
const INCOMPLETE = new Set([
  'InvalidPart',
  'InvalidPartOrder',
  'EntityTooSmall',
  'MalformedXML',
  'InvalidRequest',
])

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LEAST_PART_BYTES = 5 * 1024 ** 2

const isUnknown = (thrown: unknown): boolean => awsName(thrown) === 'NoSuchUpload'

/** Uploads in parts. `exists` tells whether there is an object with this key. */
export function createMultipart(
  s3: S3Client,
  Bucket: string,
  exists: (key: string) => Promise<boolean>,
): Multipart {
  const listParts: Multipart['listParts'] = async (key, uploadId) => {
    const arrived = []
    try {
      const pages = paginateListParts({ client: s3 }, { Bucket, Key: key, UploadId: uploadId })
      for await (const { Parts = [] } of pages) arrived.push(...Parts)
    } catch (thrown) {
      if (isUnknown(thrown)) return []
      throw thrown
    }
    return arrived
      .map(({ PartNumber, ETag, Size }) => ({ partNumber: PartNumber!, etag: ETag!, sizeBytes: Size ?? 0 }))
      .sort((a, b) => a.partNumber - b.partNumber)
  }

  return {
    listParts,

    async startMultipart({ key, contentType }) {
      const { UploadId } = await s3.send(
        new CreateMultipartUploadCommand({ Bucket, Key: key, ContentType: contentType }),
      )
      return UploadId!
    },

    async completeMultipart(key, uploadId, parts) {
      const arrived = await listParts(key, uploadId)
      // S3 forgets an upload when it is joined: the object says whether that is why it is unknown.
      if (arrived.length === 0 && (await exists(key))) return
      if (!isWhole(parts, arrived)) throw incomplete()
      const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }))
      const input = { Bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts } }
      try {
        await s3.send(new CompleteMultipartUploadCommand(input))
      } catch (thrown) {
        if (isUnknown(thrown) && (await exists(key))) return
        if (isUnknown(thrown) || INCOMPLETE.has(awsName(thrown))) throw incomplete(thrown)
        throw thrown
      }
    },

    async abortMultipart(key, uploadId) {
      try {
        await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: uploadId }))
      } catch (thrown) {
        if (!isUnknown(thrown)) throw thrown
      }
    },
  }
}

/**
 * Whether `parts` are what S3 can join: in order, each as it arrived, none too short but the last. S3 checks that
 * itself; stores that are only like S3 may join whatever they are told, and nobody would notice a recording with a hole.
 */
function isWhole(parts: readonly PartRef[], arrived: Awaited<ReturnType<Multipart['listParts']>>): boolean {
  const byNumber = new Map(arrived.map((part) => [part.partNumber, part]))
  return (
    parts.length > 0 &&
    parts.every(({ partNumber, etag }, index) => {
      const part = byNumber.get(partNumber)
      const inOrder = index === 0 || partNumber > parts[index - 1]!.partNumber
      const longEnough = index === parts.length - 1 || (part?.sizeBytes ?? 0) >= LEAST_PART_BYTES
      return part?.etag === etag && inOrder && longEnough
    })
  )
}

const incomplete = (cause?: unknown) =>
  new VerbatimError('upload-incomplete', 'The parts do not make up the upload.', { cause })
