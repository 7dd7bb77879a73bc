import { type IncomingMessage, request } from 'node:http'
import type { Context } from 'aws-lambda'

// The client of Lambda's Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): asks for an
// invocation, answers it, asks for the next. In place of the package aws-lambda-ric, which compiles a C++ HTTP client
// at its installation to do the same (docs/adr/0009-images.md).
//
// With node:http and not with fetch, whose time limits run on while Lambda has frozen the process: the next invocation
// may be hours away.

export type Handler = (event: never, context: Context) => Promise<unknown>

interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** One call. Fails when the API does not answer with 2xx: then there is nothing left that could be done. */
function call(api: string, method: string, path: string, body?: string, type?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      ...(type && { 'lambda-runtime-function-error-type': type }),
    }
    const call = request(`http://${api}/2018-06-01${path}`, { method, headers }, async (answer) => {
      try {
        const pieces: Buffer[] = []
        for await (const piece of answer) pieces.push(piece as Buffer)
        const status = answer.statusCode ?? 0
        if (status < 200 || status > 299) throw new Error(`the Runtime API answered ${status} to ${path}`)
        resolve({ status, headers: answer.headers, body: Buffer.concat(pieces).toString('utf8') })
      } catch (error) {
        reject(error)
      }
    })
    call.once('error', reject)
    call.end(body)
  })
}

const text = (value: string | string[] | undefined): string => String(value ?? '')

/** What handlers are told of their invocation: the part of Lambda's context that does not come from its environment. */
function contextOf({ headers }: Reply): Context {
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  const context: Partial<Context> = {
    callbackWaitsForEmptyEventLoop: false,
    awsRequestId: text(headers['lambda-runtime-aws-request-id']),
    invokedFunctionArn: text(headers['lambda-runtime-invoked-function-arn']),
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  }
  return context as Context
}

/** An error in the form that Lambda shows: its kind and where it arose. */
function described(error: unknown): { type: string; body: string } {
  const known = error instanceof Error ? error : new Error(String(error))
  const trace = (known.stack ?? '').split('\n').slice(0, 20)
  const body = JSON.stringify({ errorType: known.name, errorMessage: known.message, stackTrace: trace })
  return { type: `Runtime.${known.name}`, body }
}

async function one(api: string, handler: Handler): Promise<void> {
  const next = await call(api, 'GET', '/runtime/invocation/next')
  const context = contextOf(next)
  // As runtimes of one's own must; the SDK passes it on and log lines name it
  // (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html).
  process.env._X_AMZN_TRACE_ID = text(next.headers['lambda-runtime-trace-id'])
  const path = `/runtime/invocation/${context.awsRequestId}`
  let answer: string
  try {
    answer = JSON.stringify((await handler(JSON.parse(next.body) as never, context)) ?? null)
  } catch (error) {
    const { type, body } = described(error)
    await call(api, 'POST', `${path}/error`, body, type)
    return
  }
  await call(api, 'POST', `${path}/response`, answer)
}

/**
 * Serves invocations until the process is ended, which Lambda does by SIGKILL; one after another, as Lambda sends them.
 * `load` makes the handler: what it fails with is told to Lambda as a failed start.
 */
export async function serve(api: string, load: () => Promise<Handler>): Promise<never> {
  let handler: Handler
  try {
    handler = await load()
  } catch (error) {
    const { type, body } = described(error)
    await call(api, 'POST', '/runtime/init/error', body, type)
    throw error
  }
  for (;;) await one(api, handler)
}
