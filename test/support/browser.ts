import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

// A real browser without a window, driven over the DevTools protocol.

/** Where Chromium is on this machine, if it is. */
export const chromium: string | undefined = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find((path) => existsSync(path))

export interface Browser {
  /** Evaluates an expression in the page; it must come to something that is JSON. */
  evaluate(expression: string): Promise<unknown>
  close(): Promise<void>
}

/** Opens a page; its microphone plays `wav` (PCM), once and from when it is opened on. */
export async function openPage(url: string, wav: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'verbatim-browser-'))
  const child = spawn(chromium ?? 'chromium', [
    ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
    ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    ...[`--use-file-for-fake-audio-capture=${wav}%noloop`, '--remote-debugging-port=0'],
    ...[`--user-data-dir=${profile}`, url],
  ])
  const socket = new WebSocket(await pageSocket(await debuggerOf(child)))
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = () => reject(new Error('no connection to the browser'))
  })
  let last = 0
  const waiting = new Map<number, (reply: Reply) => void>()
  socket.onmessage = ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply
    waiting.get(reply.id)?.(reply)
    waiting.delete(reply.id)
  }
  return {
    async evaluate(expression) {
      const id = ++last
      const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve))
      const params = { expression, returnByValue: true, awaitPromise: true }
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }))
      const { result } = await replied
      if (result?.exceptionDetails) throw new Error(result.exceptionDetails.text)
      return result?.result?.value
    },
    async close() {
      socket.close()
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

interface Reply {
  readonly id: number
  readonly result?: { readonly result?: { value?: unknown }; readonly exceptionDetails?: { text: string } }
}

/** The browser says on stderr where it can be spoken to. */
function debuggerOf(child: ChildProcess): Promise<URL> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (text) => {
      said += text
      const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
      if (found) resolve(new URL(found))
    })
    child.once('exit', () => reject(new Error(`the browser ended:\n${said}`)))
  })
}

async function pageSocket({ host }: URL): Promise<string> {
  for (;;) {
    const targets = (await (await fetch(`http://${host}/json`)).json()) as Array<Record<string, string>>
    const page = targets.find(({ type }) => type === 'page')
    if (page?.webSocketDebuggerUrl) return page.webSocketDebuggerUrl
  }
}
