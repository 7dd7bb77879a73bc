import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { chromium, openPage } from '../support/browser.ts'
import { readReference, samplePath } from '../support/reference.ts'
import { call, cleanUp, type RunningService, startService, tempFolder, until } from '../support/service.ts'
import { wordErrors } from '../support/wer.ts'

// examples/browser as its readers run it: a static server, a real browser, its microphone playing a recording.

let service: RunningService
let site: http.Server

// Said here: hooks are not run where every test is skipped.
if (!chromium)
  process.stdout.write('Not run: examples/browser in a browser; there is none (apt-get install chromium)\n')

beforeAll(async () => {
  service = await startService({ data: await tempFolder() })
  const page = await readFile(new URL('../../examples/browser/index.html', import.meta.url))
  site = http.createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(page),
  )
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
})
afterAll(async () => {
  site?.closeAllConnections()
  site?.close()
  await cleanUp()
})

describe('examples/browser', () => {
  ;(chromium ? it : it.skip)('sends the microphone and a name, and shows who said what', async () => {
    const { url, token } = service
    const parameters = new URLSearchParams({ url, token, session: 'b1', name: 'Ada', start: '' })
    const { port } = site.address() as AddressInfo
    const page = await openPage(`http://localhost:${port}/#${parameters}`, samplePath('meeting60'))
    try {
      await until(async () => {
        const { body } = await call(service, 'GET', '/api/sessions/b1')
        return body.chunks?.received >= 3 || undefined
      })
      await page.evaluate('document.getElementById("stop").click()')
      await until(async () => (await page.evaluate('document.body.dataset.state')) === 'closed' || undefined)
      const shown = await page.evaluate(
        '[...document.querySelectorAll("#captions p")].map((line) => line.innerText)',
      )
      const { body } = await call(service, 'GET', '/api/transcriptions/b1')
      expect(body).toMatchObject({ state: 'CLOSED', revision: 2 })
      const segments: Array<{ speaker?: string; text: string }> = body.segments
      expect(shown).toEqual(
        segments.map(({ speaker, text }) => (speaker === undefined ? text : `${speaker}: ${text}`)),
      )
      expect(segments.some(({ speaker }) => speaker === 'Ada')).toBe(true)

      const heard = segments.map(({ text }) => text).join(' ')
      const said = readReference('meeting60').text.split(' ').slice(0, heard.split(' ').length).join(' ')
      expect(heard.split(' ').length).toBeGreaterThan(8)
      expect(wordErrors(said, heard).rate).toBeLessThan(0.2)
    } finally {
      await page.close()
    }
  })
})
