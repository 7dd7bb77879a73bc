import { RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, BillingMode, type CfnTable, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { Stage } from '../stages.ts'
import type { DataKey } from './data-key.ts'

/**
 * One table. What is asked of it, and how it answers:
 *
 * | question                          | pk              | sk               | by                                  |
 * |-----------------------------------|-----------------|------------------|-------------------------------------|
 * | this job                          | `JOB#<tenant>`  | job id           | GetItem                             |
 * | a tenant's jobs, newest first     | `LIST#<tenant>` | time, job id     | Query backwards, then BatchGetItem  |
 * | was this idempotency key used     | `IDEM#<tenant>` | the key          | condition of the job's transaction  |
 * | whose token is this               | `TOKEN`         | token id         | GetItem                             |
 * | all tokens, for the administrator | `TOKEN`         |                  | Query                               |
 *
 * No question needs an index. Items with `ttl` (epoch seconds) go by themselves, a job and its place in the list together:
 * a job that has ended without a transcript, or whose upload nobody made, a week after its recording. Never one that is
 * under way or has a transcript. Readers ignore what is due and not yet gone (lib/adapters/aws/job-expiry.ts).
 */
export class JobTable extends Construct {
  readonly table: Table

  constructor(scope: Construct, id: string, { stage, key }: { stage: Stage; key: DataKey | undefined }) {
    super(scope, id)
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: stage.keepData,
      removalPolicy: stage.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(key && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key.key }),
    })
    // Renaming a construct would make CloudFormation replace the table: the name it is known by is fixed.
    const resource = this.table.node.defaultChild as CfnTable
    resource.overrideLogicalId('JobTable')
  }

  /** Makes, moves, lists and forgets jobs. Tokens lie in the same table and stay out of reach. */
  grantJobs(grantee: IGrantable): void {
    const actions = [
      'GetItem',
      'BatchGetItem',
      'Query',
      'PutItem',
      'UpdateItem',
      'DeleteItem',
      'ConditionCheckItem',
    ]
    this.#grant(grantee, actions, ['JOB#*', 'LIST#*', 'IDEM#*'])
  }

  /** Looks up whose token a request carries. */
  grantTokens(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem'], ['TOKEN'])
  }

  /** `partitions`: all that the grantee may touch, by partition key. */
  #grant(grantee: IGrantable, names: string[], partitions: string[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: names.map((name) => `dynamodb:${name}`),
      resourceArns: [this.table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } },
    })
  }
}
