import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type AwsEndpoint, startAwsEndpoint } from './aws-endpoint.ts'
import { runCli } from './run-cli.ts'

// Tokens of a deployment in AWS, as an administrator makes them: the CLI as a process, AWS as a server of its own.

let aws: AwsEndpoint
beforeEach(async () => {
  aws = await startAwsEndpoint()
  aws.tables.set('verbatim-dev-data-JobTable-1', [])
  const url = 'https://abc123.execute-api.eu-central-1.amazonaws.com'
  aws.stacks.set('verbatim-dev', { TableName: 'verbatim-dev-data-JobTable-1', ApiUrl: url })
  aws.stacks.set('verbatim-dev-data', {})
})
afterEach(() => aws.close())

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI' }
const token = (args: string[], env: Record<string, string> = {}) =>
  runCli(['token', ...args], {
    env: { AWS_ENDPOINT_URL: aws.url, AWS_REGION: 'eu-central-1', ...CREDENTIALS, ...env },
  })
const items = () => aws.tables.get('verbatim-dev-data-JobTable-1')!

describe('token --stack', () => {
  it('writes the hashed token into the table that the stack names, and says where to log in', async () => {
    const made = await token(['create', '--stack', 'verbatim-dev', '--tenant', 'newsroom', '--name', 'Ada'])
    expect(made).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^vb_[\w-]+\n$/) })
    expect(made.stderr).toContain(
      'verbatim login --url https://abc123.execute-api.eu-central-1.amazonaws.com',
    )
    const [item] = items()
    expect(item).toMatchObject({ pk: { S: 'TOKEN' }, tenant: { S: 'newsroom' }, name: { S: 'Ada' } })
    const secret = made.stdout.trim().split('_').at(-1)!
    expect(JSON.stringify(item)).not.toContain(secret)
    const hash = createHash('sha256').update(Buffer.from(item!.salt!.S!, 'hex')).update(secret).digest('hex')
    expect(item!.hash!.S).toBe(hash)
    expect(aws.asked).toEqual(['eu-central-1 DescribeStacks', 'eu-central-1 PutItem'])
  })

  it('lists and revokes, and has all in JSON', async () => {
    const made = JSON.parse((await token(['create', '--stack', 'verbatim-dev', '--json'])).stdout)
    expect(made).toMatchObject({ tenant: 'default', url: expect.stringMatching(/^https:/) })
    const listed = JSON.parse((await token(['list', '--stack', 'verbatim-dev', '--json'])).stdout)
    expect(listed.tokens).toEqual([expect.objectContaining({ tokenId: made.tokenId, tenant: 'default' })])
    const revoke = () => token(['revoke', '--stack', 'verbatim-dev', made.tokenId])
    expect(await revoke()).toMatchObject({ exit: 0, stdout: `${made.tokenId}  revoked\n` })
    expect(items()).toEqual([])
    expect(await revoke()).toMatchObject({ exit: 4 })
  })

  it('goes to the region that is asked for, else to that of the environment, by either name', async () => {
    const args = ['list', '--stack', 'verbatim-dev']
    await token([...args, '--region', 'ap-south-1'])
    await token(args, { AWS_REGION: '', AWS_DEFAULT_REGION: 'sa-east-1' })
    expect(aws.asked).toEqual([
      ...['ap-south-1 DescribeStacks', 'ap-south-1 Query'],
      ...['sa-east-1 DescribeStacks', 'sa-east-1 Query'],
    ])
  })

  it.each([
    ['a stack that is not there', 'verbatim-prod', 4, /no stack verbatim-prod in this account and region/],
    ['a stack without a table', 'verbatim-dev-data', 4, /verbatim-dev-data .* has no output TableName/],
    ['what is no name of a stack', 'verbatim_dev', 2, /verbatim_dev is no name of a stack/],
  ])('says what is wrong with %s, and which one it wants', async (_, stack, exit, words) => {
    const { stderr, ...ended } = await token(['create', '--stack', stack])
    expect(ended).toEqual({ exit, stdout: '' })
    expect(stderr).toMatch(words)
    expect(stderr).toContain('verbatim-dev, verbatim-prod')
    expect(items()).toEqual([])
  })

  it.each([
    ['AccessDenied', 403, /does not let you do this \(AccessDenied\)[\s\S]*cloudformation:DescribeStacks/],
    ['ExpiredToken', 403, /does not accept these credentials \(ExpiredToken\)[\s\S]*get-caller-identity/],
    ['InvalidClientTokenId', 403, /does not accept these credentials/],
  ])('says what to do when AWS answers %s', async (code, status, words) => {
    aws.refusal = { code, status }
    const { stderr, ...ended } = await token(['create', '--stack', 'verbatim-dev'])
    expect(ended).toEqual({ exit: 3, stdout: '' })
    expect(stderr).toMatch(words)
  })

  it('says that there are no credentials, or no region', async () => {
    // Without an endpoint of one's own; neither gets as far as asking AWS.
    const bare = { AWS_EC2_METADATA_DISABLED: 'true' }
    const none = (env: Record<string, string>) =>
      runCli(['token', 'list', '--stack', 'verbatim-dev'], { env: { ...bare, ...env } })
    expect(await none({ AWS_REGION: 'eu-central-1' })).toMatchObject({
      exit: 3,
      stderr: expect.stringContaining('There are no AWS credentials.'),
    })
    expect(await none(CREDENTIALS)).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('Give --region, or set AWS_REGION.'),
    })
  })

  it('excludes --table, and a region belongs to one of them', async () => {
    const both = await token(['create', '--stack', 'verbatim-dev', '--table', 't'])
    expect(both).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining("cannot be used with option '--table"),
    })
    const alone = await token(['list', '--region', 'eu-central-1'])
    expect(alone).toMatchObject({ exit: 2, stderr: expect.stringContaining('--region says where') })
    expect(aws.asked).toEqual([])
  })
})

describe('token --table', () => {
  it('asks no stack', async () => {
    const args = ['create', '--table', 'verbatim-dev-data-JobTable-1', '--region', 'ap-south-1']
    expect(await token(args)).toMatchObject({ exit: 0 })
    expect(items()).toHaveLength(1)
    expect(aws.asked).toEqual(['ap-south-1 PutItem'])
  })

  it('says that there is no such table', async () => {
    expect(await token(['list', '--table', 'nosuch'])).toMatchObject({
      exit: 4,
      stderr: expect.stringContaining('no such table in this account and region'),
    })
  })
})
