import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  HttpMethods,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import { CfnQueuePolicy, type Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { acknowledge } from '../acknowledge.ts'
import type { Stage } from '../stages.ts'
import type { DataKey } from './data-key.ts'

export interface MediaStoreProps {
  readonly stage: Stage
  readonly key: DataKey | undefined
  /** Hears of every recording that arrives. */
  readonly arrivals: Queue
}

/** Recordings (`uploads/`), work files (`work/`), transcripts and the sound of sessions (`live/`), and who may do what. */
export class MediaStore extends Construct {
  readonly bucket: Bucket
  readonly #key: DataKey | undefined

  constructor(scope: Construct, id: string, { stage, key, arrivals }: MediaStoreProps) {
    super(scope, id)
    this.#key = key
    const removalPolicy = stage.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
    const common = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy,
    }
    this.bucket = new Bucket(this, 'Bucket', {
      ...common,
      // A bucket key spares a KMS request for every object.
      ...(key
        ? { encryption: BucketEncryption.KMS, encryptionKey: key.key, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      versioned: stage.undeleteDays > 0,
      lifecycleRules: lifecycle(stage),
      cors: [
        {
          allowedMethods: [HttpMethods.PUT, HttpMethods.GET, HttpMethods.HEAD],
          allowedOrigins: stage.webOrigins,
          allowedHeaders: ['*'],
          // A browser must read each part's ETag to complete a multipart upload.
          exposedHeaders: ['ETag'],
          maxAge: 3600,
        },
      ],
      serverAccessLogsBucket: this.#accessLogs(common),
      serverAccessLogsPrefix: 'media/',
    })
    const resource = this.bucket.node.defaultChild as CfnBucket
    resource.overrideLogicalId('MediaBucket')
    notify(this, resource, arrivals)
  }

  #accessLogs(common: object): IBucket {
    const logs = new Bucket(this, 'AccessLogs', {
      ...common,
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(90) }],
    })
    acknowledge(logs, { S1: 'This bucket holds the access logs; logging the log would never end.' })
    return logs as IBucket
  }

  /** Presigned PUTs and multipart uploads of recordings. */
  grantUpload(grantee: IGrantable): void {
    this.#grant(
      grantee,
      ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      'uploads',
    )
    this.#key?.grantWrite(grantee)
  }

  /** ListBucket lets S3 say 404 of an object that is not there; without it the answer is 403. */
  grantReadUploads(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:GetObject'], 'uploads')
    this.#grantList(grantee)
    this.#key?.grantRead(grantee)
  }

  grantDiscardUploads(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:DeleteObject', 's3:AbortMultipartUpload'], 'uploads')
  }

  /** Presigned GETs of transcripts. */
  grantReadTranscripts(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:GetObject'], 'transcripts')
    this.#key?.grantRead(grantee)
  }

  grantWriteTranscripts(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:PutObject'], 'transcripts')
    this.#key?.grantWrite(grantee)
  }

  grantWorkFiles(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], 'work')
    this.#grantList(grantee)
    this.#key?.grantWrite(grantee)
  }

  /** Chunks as they were posted, and the sound that was made of them. */
  grantSound(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], 'live')
    this.#grantList(grantee)
    this.#key?.grantWrite(grantee)
  }

  grantDiscardSound(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:DeleteObject'], 'live')
    this.#grantList(grantee)
  }

  /** Where in its recording a shard lies. */
  grantReadWorkFiles(grantee: IGrantable): void {
    this.#grant(grantee, ['s3:GetObject'], 'work')
    this.#key?.grantRead(grantee)
  }

  /** Everything of a job. */
  grantErase(grantee: IGrantable): void {
    this.grantDiscardUploads(grantee)
    this.#grant(grantee, ['s3:DeleteObject'], 'work', 'transcripts')
    this.#grantList(grantee)
  }

  #grant(grantee: IGrantable, actions: string[], ...prefixes: string[]): void {
    const resourceArns = prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}/*`))
    Grant.addToPrincipal({ grantee, actions, resourceArns })
    const role = grantee.grantPrincipal
    if (!Construct.isConstruct(role)) return
    // What another stack imports is known to cdk-nag by the name of its export.
    const stack = Stack.of(this)
    const { 'Fn::ImportValue': arn } = stack.resolve(stack.exportValue(this.bucket.bucketArn))
    for (const prefix of prefixes) {
      acknowledge(role, {
        [`IAM5[Resource::${arn}/${prefix}/*]`]:
          'A prefix is as narrow as a role can be: objects are named after tenant and job, and the code checks each key.',
      })
    }
  }

  #grantList(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:ListBucket'],
      resourceArns: [this.bucket.bucketArn],
    })
  }
}

function lifecycle({ audioDays, undeleteDays }: Stage): LifecycleRule[] {
  return [
    { id: 'recordings', prefix: 'uploads/', expiration: Duration.days(audioDays) },
    // What a session sounded like is kept as long as a recording, which it becomes too.
    { id: 'sessions', prefix: 'live/', expiration: Duration.days(audioDays) },
    // Only a retry needs them, and a worker removes them when it is done.
    { id: 'work-files', prefix: 'work/', expiration: Duration.days(7) },
    { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(2) },
    ...(undeleteDays > 0
      ? [
          {
            id: 'deleted',
            noncurrentVersionExpiration: Duration.days(undeleteDays),
            expiredObjectDeleteMarker: true,
          },
        ]
      : []),
  ]
}

/**
 * S3 tells the queue, by the bucket's own property: the L2 construct's way is a custom resource with a function of its
 * own. S3 checks the queue's policy when the bucket is made, so the policy can't name the bucket; it names the account.
 */
function notify(scope: MediaStore, bucket: CfnBucket, queue: Queue): void {
  const statement = new PolicyStatement({
    principals: [new ServicePrincipal('s3.amazonaws.com')],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  })
  queue.addToResourcePolicy(statement)
  bucket.notificationConfiguration = {
    queueConfigurations: [
      {
        event: 's3:ObjectCreated:*',
        queue: queue.queueArn,
        filter: { s3Key: { rules: [{ name: 'prefix', value: 'uploads/' }] } },
      },
    ],
  }
  const policy = queue.node.findAll().find((child) => child instanceof CfnQueuePolicy)
  if (policy) bucket.addResourceDependency(policy)
}
