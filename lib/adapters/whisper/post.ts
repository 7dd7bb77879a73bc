import { randomBytes } from 'node:crypto'
import { request } from 'node:http'

export interface Form {
  readonly fields: Readonly<Record<string, string>>
  /** A WAV file. */
  readonly file: Buffer
}

export interface Reply {
  readonly status: number
  readonly body: string
}

/** A reply is text; more than this is none of ours. */
const MAX_REPLY_BYTES = 64 << 20

/**
 * Posts a form to a server on this machine. Closing the connection (`signal`) makes whisper-server stop what it
 * does for it. Rejects with whatever broke the connection.
 *
 * Not `fetch`: it gives up after 300 s without an answer, and a long window on a slow CPU takes longer.
 */
export function post(port: number, path: string, form: Form, signal: AbortSignal): Promise<Reply> {
  const boundary = randomBytes(16).toString('hex')
  const body = multipart(form, boundary)
  const length = body.reduce((sum, piece) => sum + piece.length, 0)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        agent: false,
        signal,
        headers: {
          'content-type': `multipart/form-data; boundary=${boundary}`,
          'content-length': length,
          connection: 'close',
        },
      },
      (response) => {
        const pieces: Buffer[] = []
        let bytes = 0
        response.on('data', (piece: Buffer) => {
          bytes += piece.length
          if (bytes > MAX_REPLY_BYTES) response.destroy(new Error('the reply is too long'))
          else pieces.push(piece)
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') }),
        )
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    for (const piece of body) sent.write(piece)
    sent.end()
  })
}

/** RFC 7578. Values are ours or JSON-safe text; a boundary of 128 random bits occurs in none of them. */
function multipart({ fields, file }: Form, boundary: string): Buffer[] {
  const part = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`
  const texts = Object.entries(fields).map(([name, value]) => `${part(`name="${name}"`)}\r\n${value}\r\n`)
  const head = `${texts.join('')}${part('name="file"; filename="audio.wav"')}Content-Type: audio/wav\r\n\r\n`
  // Not as one: the file is the larger part by far, and would be copied.
  return [Buffer.from(head, 'utf8'), file, Buffer.from(`\r\n--${boundary}--\r\n`, 'utf8')]
}

/** True once the server at this port says, under this path, that its model is loaded. */
export function isHealthy(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(
      { host: '127.0.0.1', port, path, agent: false, timeout: 2000, headers: { connection: 'close' } },
      (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(false))
    sent.end()
  })
}
