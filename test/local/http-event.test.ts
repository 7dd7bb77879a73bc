import { describe, expect, it } from '@jest/globals'
import { VerbatimError } from '../../lib/core/errors.ts'
import { ALL_ROUTES, matchRoute } from '../../local/http-event.ts'

const ID = '01JD0000000000000000000000'

describe('the route of a request', () => {
  it.each([
    ['POST', '/upload', 'upload', {}],
    ['POST', '/upload/', 'upload', {}],
    ['POST', `/upload/${ID}/complete`, 'complete', { jobId: ID }],
    ['POST', `/upload/${ID}/complete/`, 'complete', { jobId: ID }],
    ['GET', `/status/${ID}`, 'status', { jobId: ID }],
    ['GET', `/status/${ID}/`, 'status', { jobId: ID }],
    ['GET', '/jobs', 'list', {}],
    ['DELETE', `/jobs/${ID}`, 'erase', { jobId: ID }],
    ['POST', `/jobs/${ID}/cancel`, 'cancel', { jobId: ID }],
    ['GET', '/health', 'health', {}],
    ['GET', '/openapi.json', 'openapi', {}],
    ['GET', '/api/transcriptions/standup:1', 'transcription', { sessionId: 'standup:1' }],
    ['GET', '/api/transcriptions/a/events', 'events', { sessionId: 'a' }],
    ['GET', '/api/sessions', 'sessions', {}],
    ['DELETE', '/api/sessions/a', 'eraseSession', { sessionId: 'a' }],
    // Ids are what was sent, decoded; whether there is such a job is not for the router to say.
    ['GET', '/status/a%20b', 'status', { jobId: 'a b' }],
    ['GET', '/status/..%2F..%2Fetc', 'status', { jobId: '../../etc' }],
    ['GET', '/status/%E4%BC%9A', 'status', { jobId: '会' }],
    ['GET', '/status/__proto__', 'status', { jobId: '__proto__' }],
    ['GET', '/status/constructor', 'status', { jobId: 'constructor' }],
    ['DELETE', '/jobs/jobs', 'erase', { jobId: 'jobs' }],
  ])('%s %s is %s with %j', (method, path, route, params) => {
    expect(matchRoute(method, path)).toEqual({ route, params })
  })

  it.each([
    ['GET', '/upload', ['POST']],
    ['PUT', '/upload', ['POST']],
    ['POST', `/status/${ID}`, ['GET']],
    ['POST', '/jobs', ['GET']],
    ['GET', `/jobs/${ID}`, ['DELETE']],
    ['DELETE', '/health', ['GET']],
    ['get', '/health', ['GET']],
    ['', '/health', ['GET']],
    ['__proto__', '/health', ['GET']],
  ])('%s %s is none; the path knows %j', (method, path, allowed) => {
    expect(matchRoute(method, path)).toEqual({ route: undefined, allowed })
  })

  it.each([
    '/',
    '',
    '/__proto__',
    '/constructor',
    '/uploads',
    '/UPLOAD',
    '/upload//',
    '//upload',
    '/status',
    '/status/',
    `/status/${ID}/x`,
    `/x/status/${ID}`,
    '/openapiXjson',
    '/jobs/a/b',
    '/jobs//cancel',
    '/objects/uploads/acme/x',
  ])('%j is no path at all', (path) => {
    for (const method of ['GET', 'POST', 'DELETE'])
      expect(matchRoute(method, path)).toEqual({ route: undefined, allowed: [] })
  })

  it.each(['/status/%', '/status/%zz', '/status/%E4%BC', '/status/100%'])(
    '%j is a bad request: it is not properly encoded',
    (path) => {
      expect(() => matchRoute('GET', path)).toThrow(VerbatimError)
      expect(() => matchRoute('GET', path)).toThrow('not properly encoded')
    },
  )

  it('is found for every route that there is', () => {
    for (const [name, { method, path }] of Object.entries(ALL_ROUTES))
      expect(matchRoute(method, path.replace(/\{\w+\}/, ID)).route).toBe(name)
  })
})
