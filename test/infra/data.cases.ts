import { describe, expect, it } from '@jest/globals'
import { Match } from 'aws-cdk-lib/assertions'
import { stageNamed } from '../../lib/infra/stages.ts'
import { resourcesOf, statementsOf, templatesOf } from './support.ts'

const dev = templatesOf(stageNamed('dev')).data
const prod = templatesOf(stageNamed('prod')).data

describe('what holds data', () => {
  it.each([
    ['dev', dev, { JobTable: 'AWS::DynamoDB::Table', MediaBucket: 'AWS::S3::Bucket' }],
    [
      'prod',
      prod,
      { JobTable: 'AWS::DynamoDB::Table', MediaBucket: 'AWS::S3::Bucket', DataKey: 'AWS::KMS::Key' },
    ],
  ])('keeps its logical ids in %s: a new one would be a new, empty store', (_, template, pinned) => {
    const types = Object.fromEntries(resourcesOf(template).map(([id, { Type }]) => [id, Type]))
    expect(types).toMatchObject(pinned)
  })

  it('stays when its stack is deleted in prod, and goes with it in dev', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::KMS::Key']) {
      prod.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
    }
    dev.allResources('AWS::DynamoDB::Table', { DeletionPolicy: 'Delete' })
    prod.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true })
  })
})

describe('the bucket', () => {
  it('is closed to the public and to old TLS', () => {
    for (const template of [dev, prod]) {
      template.allResourcesProperties('AWS::S3::Bucket', {
        PublicAccessBlockConfiguration: {
          ...{ BlockPublicAcls: true, BlockPublicPolicy: true },
          ...{ IgnorePublicAcls: true, RestrictPublicBuckets: true },
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      })
      const denied = statementsOf(template).filter(
        ({ type, Effect }) => type === 'AWS::S3::BucketPolicy' && Effect === 'Deny',
      )
      expect(denied).toHaveLength(4)
    }
  })

  it('lies under the customer key in prod, and under the keys of S3 in dev', () => {
    const algorithm = (SSEAlgorithm: string) => ({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm }) },
        ],
      },
    })
    prod.hasResourceProperties('AWS::S3::Bucket', algorithm('aws:kms'))
    dev.allResourcesProperties('AWS::S3::Bucket', algorithm('AES256'))
    prod.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true })
    dev.resourceCountIs('AWS::KMS::Key', 0)
  })

  it('forgets recordings, work files and unfinished uploads by itself', () => {
    prod.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          Match.objectLike({ Prefix: 'uploads/', ExpirationInDays: 30 }),
          Match.objectLike({ Prefix: 'work/', ExpirationInDays: 7 }),
          Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }),
          Match.objectLike({ NoncurrentVersionExpiration: { NoncurrentDays: 7 } }),
        ]),
      },
    })
  })

  it('lets a browser upload parts and read their ETags', () => {
    dev.hasResourceProperties('AWS::S3::Bucket', {
      CorsConfiguration: {
        CorsRules: [Match.objectLike({ AllowedMethods: ['PUT', 'GET', 'HEAD'], ExposedHeaders: ['ETag'] })],
      },
    })
  })

  it('tells the queue of recordings by its own property, once the queue lets it', () => {
    dev.hasResource('AWS::S3::Bucket', {
      Properties: {
        NotificationConfiguration: {
          QueueConfigurations: [
            {
              Event: 's3:ObjectCreated:*',
              Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'uploads/' }] } },
              Queue: { 'Fn::GetAtt': [Match.stringLikeRegexp('^UploadsQueue'), 'Arn'] },
            },
          ],
        },
      },
      DependsOn: [Match.stringLikeRegexp('^UploadsQueuePolicy')],
    })
    dev.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'sqs:SendMessage',
            Principal: { Service: 's3.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    })
  })
})

describe('the table', () => {
  it('is paid by use, forgets by ttl and can be set back to any second', () => {
    prod.hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: Match.objectLike({ SSEEnabled: true, SSEType: 'KMS' }),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    })
  })
})

describe('the queues', () => {
  it('are encrypted, accept TLS only and keep messages for two weeks', () => {
    dev.resourceCountIs('AWS::SQS::Queue', 4)
    dev.allResourcesProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    })
    const denied = statementsOf(dev).filter(
      ({ type, Effect }) => type === 'AWS::SQS::QueuePolicy' && Effect === 'Deny',
    )
    expect(denied).toHaveLength(4)
  })

  it('hide a message for longer than anybody may work on it', () => {
    const redrive = { RedrivePolicy: Match.objectLike({ maxReceiveCount: 20 }) }
    dev.hasResourceProperties('AWS::SQS::Queue', { ...redrive, VisibilityTimeout: 6 * 30 })
    dev.hasResourceProperties('AWS::SQS::Queue', { ...redrive, VisibilityTimeout: 16 * 60 })
  })
})
