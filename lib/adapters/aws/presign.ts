import {
  GetObjectCommand,
  type GetObjectCommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { ObjectStore } from '../../core/ports.ts'
import { attachment } from '../content-disposition.ts'

/**
 * URLs by which clients talk to S3 themselves. Length and type are signed as headers, so S3 answers 403 to any other.
 * A URL ends with the credentials that signed it; those of a function's role outlive the hour that ours hold.
 */
export function createPresigner(
  s3: S3Client,
  Bucket: string,
): Pick<ObjectStore, 'presignPut' | 'presignGet' | 'presignPart'> {
  return {
    async presignPut({ key, contentType, sizeBytes, expiresAt }) {
      const input: PutObjectCommandInput = {
        ...{ Bucket, Key: key, ContentType: contentType, ContentLength: sizeBytes },
      }
      const url = await getSignedUrl(s3, new PutObjectCommand(input), signing(expiresAt, 'content-type'))
      return { url, method: 'PUT', headers: { 'content-type': contentType } }
    },

    async presignGet({ key, contentType, filename, expiresAt }) {
      const input: GetObjectCommandInput = {
        ...{ Bucket, Key: key, ResponseContentType: contentType },
        ResponseContentDisposition: attachment(filename),
      }
      const url = await getSignedUrl(s3, new GetObjectCommand(input), signing(expiresAt))
      return { url, method: 'GET', headers: {} }
    },

    async presignPart({ key, uploadId, partNumber, sizeBytes, expiresAt }) {
      const input: UploadPartCommandInput = {
        ...{ Bucket, Key: key, UploadId: uploadId, PartNumber: partNumber, ContentLength: sizeBytes },
      }
      const url = await getSignedUrl(s3, new UploadPartCommand(input), signing(expiresAt))
      return { url, method: 'PUT', headers: {} }
    },
  }
}

/**
 * A signature holds for a time from its date on, at least a second: one that has ended is dated back. Of the headers
 * the host and the length are signed and those that are named; a part has no type, though the SDK would give it one.
 */
function signing(expiresAt: number, ...headers: string[]) {
  const signedAt = Math.min(Date.now(), expiresAt - 1000)
  return {
    signingDate: new Date(signedAt),
    expiresIn: Math.floor((expiresAt - signedAt) / 1000),
    signableHeaders: new Set(['host', 'content-length', ...headers]),
  }
}
