import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { type IGrantable, PolicyStatement, ServicePrincipal, StarPrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import type { Stage } from '../stages.ts'

/** The customer's own key for everything that is stored. It is turned once a year. */
export class DataKey extends Construct {
  readonly key: Key

  constructor(scope: Construct, id: string, stage: Stage) {
    super(scope, id)
    const { account, region } = Stack.of(this)
    this.key = new Key(this, 'Key', {
      description: `Verbatim ${stage.name}: recordings, transcripts, jobs`,
      enableKeyRotation: true,
      removalPolicy: stage.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    // DynamoDB uses the key for whoever may use the table; its documentation gives this statement
    // ("Encryption at rest: usage notes", key policy for a customer managed key).
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new StarPrincipal()],
        actions: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:CreateGrant',
          'kms:DescribeKey',
        ],
        resources: ['*'],
        conditions: {
          StringEquals: {
            'kms:CallerAccount': account,
            'kms:ViaService': `dynamodb.${region}.amazonaws.com`,
          },
        },
      }),
    )
    // An alarm that can't use the topic's key is lost without a word.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    )
  }

  grantRead(grantee: IGrantable): void {
    this.key.grant(grantee, 'kms:Decrypt')
  }

  /** Multipart uploads need Decrypt too: S3 reads the parts' keys when it joins them. */
  grantWrite(grantee: IGrantable): void {
    this.key.grant(grantee, 'kms:Decrypt', 'kms:GenerateDataKey')
  }
}
