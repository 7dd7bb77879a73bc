import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// A stand-in for the part of the ECS agent that tasks ask for protection:
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html

export async function startAgent() {
  /** What it was told, in order: the task is at work, or not. */
  const told: boolean[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const { ProtectionEnabled } = JSON.parse(Buffer.concat(pieces).toString('utf8'))
    told.push(ProtectionEnabled)
    response.end(JSON.stringify({ protection: { ProtectionEnabled, TaskArn: 'arn' } }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
