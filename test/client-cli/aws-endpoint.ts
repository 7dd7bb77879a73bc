import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

// As much of AWS as an administrator's commands ask of it: CloudFormation's DescribeStacks (query protocol, XML) and
// three calls of DynamoDB (JSON), behind AWS_ENDPOINT_URL.

type Item = Record<string, { S?: string; N?: string }>

export interface AwsEndpoint {
  readonly url: string
  /** What was asked, behind the region of the request's signature. */
  readonly asked: string[]
  /** The items of each table. */
  readonly tables: Map<string, Item[]>
  /** Outputs of each stack. */
  readonly stacks: Map<string, Record<string, string>>
  /** What every request is refused with, where a test wants that. */
  refusal: { readonly code: string; readonly status: number } | undefined
  close(): Promise<void>
}

/** A refused or unknown request. */
class Refusal extends Error {
  readonly code: string
  readonly status: number
  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

export async function startAwsEndpoint(): Promise<AwsEndpoint> {
  const server = createServer((request, response) => void answer(endpoint, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint: AwsEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ asked: [], tables: new Map(), stacks: new Map(), refusal: undefined },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return endpoint
}

async function answer(aws: AwsEndpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  const target = request.headers['x-amz-target']
  const form = new URLSearchParams(body)
  const action = typeof target === 'string' ? target.split('.')[1]! : form.get('Action')!
  const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1]
  aws.asked.push(`${region} ${action}`)
  const isXml = target === undefined
  try {
    if (aws.refusal) throw new Refusal(aws.refusal.code, 'no', aws.refusal.status)
    const reply = isXml ? describeStacks(aws, form) : JSON.stringify(dynamo(aws, action, JSON.parse(body)))
    send(response, 200, reply, isXml)
  } catch (thrown) {
    const { code, message, status } = thrown as Refusal
    const xml = `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`
    const json = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message })
    send(response, status, isXml ? xml : json, isXml)
  }
}

function send(response: ServerResponse, status: number, body: string, isXml: boolean): void {
  response.writeHead(status, { 'content-type': isXml ? 'text/xml' : 'application/x-amz-json-1.0' })
  response.end(body)
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
function describeStacks({ stacks }: AwsEndpoint, form: URLSearchParams): string {
  const name = form.get('StackName')!
  if (!/^[a-zA-Z][-a-zA-Z0-9]*$/.test(name)) {
    throw new Refusal(
      'ValidationError',
      '1 validation error detected: Value at stackName failed to satisfy constraint',
    )
  }
  const outputs = stacks.get(name)
  if (!outputs) throw new Refusal('ValidationError', `Stack with id ${name} does not exist`)
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  )
  return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>
    <StackName>${name}</StackName><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/${name}/1</StackId>
    <CreationTime>2026-03-10T05:16:23.000Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>
    ${members.length > 0 ? `<Outputs>${members.join('')}</Outputs>` : ''}
  </member></Stacks></DescribeStacksResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>`
}

interface DynamoRequest {
  readonly TableName: string
  readonly Item?: Item
  readonly Key?: Item
}

function dynamo({ tables }: AwsEndpoint, action: string, { TableName, Item, Key }: DynamoRequest): unknown {
  const items = tables.get(TableName)
  if (!items) throw new Refusal('ResourceNotFoundException', 'Requested resource not found')
  if (action === 'PutItem') {
    items.push(Item!)
    return {}
  }
  if (action === 'Query') return { Items: items, Count: items.length }
  if (action !== 'DeleteItem') throw new Refusal('UnknownOperationException', action)
  const at = items.findIndex(({ sk }) => sk?.S === Key?.sk?.S)
  return at < 0 ? {} : { Attributes: items.splice(at, 1)[0] }
}
