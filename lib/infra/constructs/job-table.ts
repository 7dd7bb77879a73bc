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
 * | this session, its records         | `SESSION#…`     |                  | lib/adapters/aws/session-items.ts   |
 * | a tenant's sessions, newest first | `SESSIONS#<tenant>` | time, session id | Query backwards, then BatchGetItem |
 * | how far a job's shards are        | `SHARDS#<tenant>#<job id>` | `tally` | GetItem, UpdateItem             |
 * | sessions that are not closed      | `OPEN`          | tenant, session id | Query                             |
 * | webhooks of a tenant              | `DELIVERY#<tenant>` | its id       | lib/adapters/aws/delivery-items.ts  |
 * | lanes in which webhooks wait      | `DUE`           | tenant, lane     | Query                               |
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

  /** Makes, moves, lists and forgets jobs, and counts their shards. Tokens lie in the same table and stay out of reach. */
  grantJobs(grantee: IGrantable): void {
    this.#grant(grantee, [...EVERY_ITEM, 'ConditionCheckItem'], JOBS)
  }

  /** Sees whether a job has ended. */
  grantReadJobs(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem'], JOBS)
  }

  /** Makes, moves, lists and forgets sessions with their records. Removing them is done many at a time. */
  grantSessions(grantee: IGrantable): void {
    this.#grant(grantee, [...EVERY_ITEM, 'BatchWriteItem'], SESSIONS)
  }

  /** Looks at sessions and their records. */
  grantReadSessions(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'BatchGetItem', 'Query'], SESSIONS)
  }

  /** Puts webhooks on their way, sends them, lists and forgets them. */
  grantDeliveries(grantee: IGrantable): void {
    this.#grant(grantee, EVERY_ITEM, DELIVERIES)
  }

  /** Looks at the log of webhooks. */
  grantReadDeliveries(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'Query'], DELIVERIES)
  }

  /** Puts webhooks on their way. */
  grantAnnounce(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem', 'PutItem', 'UpdateItem'], DELIVERIES)
  }

  /** Looks up whose token a request carries. */
  grantTokens(grantee: IGrantable): void {
    this.#grant(grantee, ['GetItem'], ['TOKEN'])
  }

  /** `partitions`: all that the grantee may touch, by partition key. */
  #grant(grantee: IGrantable, names: readonly string[], partitions: string[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: names.map((name) => `dynamodb:${name}`),
      resourceArns: [this.table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } },
    })
  }
}

const EVERY_ITEM = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem']

const JOBS = ['JOB#*', 'LIST#*', 'IDEM#*', 'SHARDS#*']
const SESSIONS = ['SESSION#*', 'SESSIONS#*', 'OPEN']
const DELIVERIES = ['DELIVERY#*', 'DUE']
