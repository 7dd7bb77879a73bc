import { describe, expect, it } from '@jest/globals'
import { Match } from 'aws-cdk-lib/assertions'
import { stageNamed } from '../../lib/infra/stages.ts'
import { FULL, resourcesOf, statementsIn, templatesOf } from './support.ts'

const dev = templatesOf(stageNamed('dev')).data
const prod = templatesOf(stageNamed('prod')).data

const ofType = (template: typeof dev, type: string) =>
  resourcesOf(template).filter(([, { Type }]) => Type === type)

const mediaOf = (template: typeof dev) => Object.fromEntries(resourcesOf(template)).MediaBucket!.Properties

/** The conditions under which a policy refuses everybody. */
const deniedTo = (policy: unknown, action: string) =>
  statementsIn(policy)
    .filter(({ Effect, Action, Principal }) => {
      return Effect === 'Deny' && Action.includes(action) && JSON.stringify(Principal) === '{"AWS":"*"}'
    })
    .map(({ Condition }) => Condition)

describe('what holds data', () => {
  it('lies in a stack of its own: all else can be thrown away and made anew', () => {
    const { service, monitoring, gpu } = templatesOf(FULL)
    for (const template of [service, monitoring, gpu!]) {
      const holds = resourcesOf(template).filter(([, { Type }]) =>
        /^AWS::(S3::Bucket|DynamoDB::(Global)?Table|SQS::Queue|KMS::Key)$/.test(Type),
      )
      expect(holds).toEqual([])
    }
  })

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
    dev.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false })
    expect(templatesOf(stageNamed('prod')).kept).toEqual(['verbatim-prod-data'])
    expect(templatesOf(stageNamed('dev')).kept).toEqual([])
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
      for (const [, { Properties }] of ofType(template, 'AWS::S3::BucketPolicy')) {
        expect(deniedTo(Properties, 's3:*')).toEqual([
          { Bool: { 'aws:SecureTransport': 'false' } },
          { NumericLessThan: { 's3:TlsVersion': 1.2 } },
        ])
      }
      const [buckets, policies] = ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy'].map(
        (type) => ofType(template, type).length,
      )
      expect(policies).toBe(buckets)
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

  it('keeps a recording for the days of the stage, and no former versions where it need not', () => {
    const Properties = mediaOf(dev)
    expect(Properties).not.toHaveProperty('VersioningConfiguration')
    expect(JSON.stringify(Properties)).not.toContain('Noncurrent')
    expect(Properties).toMatchObject({
      LifecycleConfiguration: {
        Rules: expect.arrayContaining([
          expect.objectContaining({ Prefix: 'uploads/', ExpirationInDays: 7, Status: 'Enabled' }),
        ]),
      },
    })
    prod.hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } })
  })

  it('never lets a transcript go by itself', () => {
    const { Rules } = mediaOf(prod).LifecycleConfiguration as { Rules: Array<Record<string, unknown>> }
    const expiring = Rules.filter((rule) => 'ExpirationInDays' in rule).map(({ Prefix }) => Prefix)
    expect(expiring).toEqual(['uploads/', 'live/', 'work/'])
  })

  it('lets a browser upload parts and read their ETags, from the pages of the stage', () => {
    const cors = (AllowedOrigins: string[]) => ({
      CorsConfiguration: {
        CorsRules: [
          Match.objectLike({
            ...{ AllowedMethods: ['PUT', 'GET', 'HEAD'], ExposedHeaders: ['ETag'], AllowedOrigins },
          }),
        ],
      },
    })
    dev.hasResourceProperties('AWS::S3::Bucket', cors(['*']))
    const webOrigins = ['https://transcripts.example.com']
    const own = templatesOf({ ...stageNamed('dev'), webOrigins })
    own.data.hasResourceProperties('AWS::S3::Bucket', cors(webOrigins))
    own.service.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: Match.objectLike({
        AllowOrigins: webOrigins,
        AllowHeaders: Match.arrayWith(['authorization', 'content-type', 'idempotency-key']),
        AllowMethods: ['GET', 'POST', 'DELETE'],
      }),
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
    dev.resourceCountIs('AWS::SQS::Queue', 9)
    dev.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true })
    const forgetful = ofType(dev, 'AWS::SQS::Queue')
      .filter(([, { Properties }]) => Properties.MessageRetentionPeriod !== 1_209_600)
      .map(([id]) => id)
    // Wake-ups: each minute is one anyway.
    expect(forgetful).toEqual([expect.stringMatching(/^Deliveries/)])
    const policies = ofType(dev, 'AWS::SQS::QueuePolicy')
    expect(policies).toHaveLength(ofType(dev, 'AWS::SQS::Queue').length)
    for (const [, { Properties }] of policies)
      expect(deniedTo(Properties, 'sqs:*')).toEqual([{ Bool: { 'aws:SecureTransport': 'false' } }])
  })

  it('hide a message for longer than anybody may work on it', () => {
    const redrive = { RedrivePolicy: Match.objectLike({ maxReceiveCount: 20 }) }
    dev.hasResourceProperties('AWS::SQS::Queue', { ...redrive, VisibilityTimeout: 6 * 30 })
    dev.hasResourceProperties('AWS::SQS::Queue', { ...redrive, VisibilityTimeout: 16 * 60 })
  })
})
