import { CfnOutput, Stack } from 'aws-cdk-lib'
import {
  type ISecurityGroup,
  type IVpc,
  Port,
  SecurityGroup,
  type SubnetSelection,
} from 'aws-cdk-lib/aws-ec2'
import { CfnServerlessCache, CfnUser, CfnUserGroup } from 'aws-cdk-lib/aws-elasticache'
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { CacheVariables } from '../../adapters/aws/environment.ts'
import type { Stage } from '../stages.ts'

export interface LiveCacheProps {
  readonly stage: Stage
  readonly vpc: IVpc
  readonly subnets: SubnetSelection
}

/** Keys of captions, and beside each the one that says whose they are (lib/adapters/sinks/redis-key.ts). */
const KEYS = '~segments_transcribe:* ~{segments_transcribe:*'
/** What lib/adapters/sinks/redis-append.ts and its caller do. */
const WRITES = '+eval +get +set +del +llen +lindex +lset +rpush +pexpire'

/**
 * A serverless ElastiCache (Valkey) for captions: TLS, no password; who connects is known by role (IAM). What is in it
 * can be written again from the table at any time, so it is with what holds nothing, and has no backup.
 */
export class LiveCache extends Construct {
  readonly vpc: IVpc
  readonly subnets: SubnetSelection
  /** What has this group, in that network, reaches the cache. */
  readonly clients: ISecurityGroup
  readonly variables: Required<CacheVariables>
  readonly #group: SecurityGroup
  readonly #cache: CfnServerlessCache
  readonly #writer: CfnUser
  readonly #reader: CfnUser

  constructor(scope: Construct, id: string, { stage, vpc, subnets }: LiveCacheProps) {
    super(scope, id)
    this.vpc = vpc
    this.subnets = subnets
    const clients = new SecurityGroup(this, 'Clients', { vpc, description: 'Reaches the captions in Redis' })
    this.clients = clients
    this.#group = new SecurityGroup(this, 'Group', {
      ...{ vpc, description: 'The captions in Redis', allowAllOutbound: false },
    })
    this.allow(clients)

    const name = `verbatim-${stage.name}`
    this.#writer = this.#user(
      'Writer',
      `${name}-writer`,
      `on ${KEYS} resetchannels -@all ${WRITES} +@connection`,
    )
    this.#reader = this.#user(
      'Reader',
      `${name}-reader`,
      `on ${KEYS} resetchannels -@all +@read +@connection`,
    )
    const users = new CfnUserGroup(this, 'Users', {
      ...{ engine: 'valkey', userGroupId: name, userIds: [this.#writer.ref, this.#reader.ref] },
    })
    this.#cache = new CfnServerlessCache(this, 'Cache', {
      ...{ engine: 'valkey', majorEngineVersion: '8', serverlessCacheName: name, userGroupId: users.ref },
      description: 'Captions of sessions, for a day',
      subnetIds: vpc.selectSubnets(subnets).subnetIds,
      securityGroupIds: [this.#group.securityGroupId],
      // An hour of captions is some hundred kB.
      cacheUsageLimits: { dataStorage: { maximum: 1, unit: 'GB' }, ecpuPerSecond: { maximum: 5000 } },
    })
    this.variables = {
      CACHE_HOST: this.#cache.attrEndpointAddress,
      CACHE_NAME: name,
      CACHE_USER: `${name}-writer`,
    }
    this.#tell()
  }

  /** With IAM, a user's id and name must be the same. */
  #user(id: string, name: string, accessString: string): CfnUser {
    return new CfnUser(this, id, {
      ...{ engine: 'valkey', userId: name, userName: name, accessString },
      authenticationMode: { Type: 'iam' },
    })
  }

  #tell(): void {
    const outputs = {
      RedisHost: this.variables.CACHE_HOST,
      RedisReader: this.#reader.attrArn,
      RedisVpc: this.vpc.vpcId,
      RedisClients: this.clients.securityGroupId,
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(Stack.of(this), name, { value })
  }

  /** What has this security group reaches the cache. The second port is that of the endpoint for readers. */
  allow(group: ISecurityGroup): void {
    this.#group.addIngressRule(group, Port.tcpRange(6379, 6380), 'Redis over TLS')
  }

  /** Connects as who may write captions. */
  grantWrite(grantee: IGrantable): void {
    const resourceArns = [this.#cache.attrArn, this.#writer.attrArn]
    Grant.addToPrincipal({ grantee, actions: ['elasticache:Connect'], resourceArns })
  }
}
