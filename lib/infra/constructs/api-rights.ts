import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { LiveRouteName, RouteName } from '../../../lambdas/api/routes.ts'
import type { DataStack } from '../stacks/data.ts'

type Grant = (fn: IGrantable, data: DataStack) => void

const jobs: Grant = (fn, data) => data.jobs.grantJobs(fn)
const sessions: Grant = (fn, data) => data.jobs.grantSessions(fn)
const readSessions: Grant = (fn, data) => data.jobs.grantReadSessions(fn)
const wakeSession: Grant = (fn, { live }) => live?.queue.grantSendMessages(fn)

/** Whoever looks at a job may find that its upload has expired, and clears it away. */
const lookAtJobs: Grant = (fn, { media }) => {
  media.grantReadUploads(fn)
  media.grantDiscardUploads(fn)
  media.grantReadTranscripts(fn)
}

const forgetDeliveries: Grant = (fn, data) => data.jobs.grantDeliveries(fn)

const announce: Grant = (fn, data) => {
  data.jobs.grantAnnounce(fn)
  data.deliveries.grantSendMessages(fn)
}

/** What each route does, besides looking up whose token it was sent. */
const RIGHTS: Record<RouteName | LiveRouteName, readonly Grant[]> = {
  health: [],
  openapi: [],
  upload: [jobs, (fn, { media }) => media.grantUpload(fn)],
  complete: [jobs, lookAtJobs, (fn, { media }) => media.grantUpload(fn)],
  status: [jobs, lookAtJobs],
  list: [jobs, lookAtJobs],
  cancel: [jobs, lookAtJobs, (fn, { media }) => media.grantErase(fn)],
  erase: [jobs, forgetDeliveries, (fn, { media }) => media.grantErase(fn)],
  stream: [sessions, wakeSession, (fn, { media }) => media.grantSound(fn)],
  speaker: [sessions],
  transcription: [readSessions],
  events: [readSessions],
  sessions: [readSessions],
  session: [readSessions],
  closeSession: [sessions, wakeSession],
  eraseSession: [
    ...[sessions, jobs, wakeSession, forgetDeliveries],
    (fn, { media }) => media.grantErase(fn),
    (fn, { media }) => media.grantDiscardSound(fn),
  ],
  deliveries: [(fn, data) => data.jobs.grantReadDeliveries(fn)],
  replayDelivery: [announce],
  testWebhook: [announce],
}

/** `health` and `openapi` say what they are made of; all others look at tokens. */
export function grantRoute(name: RouteName | LiveRouteName, fn: IGrantable, data: DataStack): void {
  const rights = RIGHTS[name]
  if (rights.length > 0) data.jobs.grantTokens(fn)
  for (const grant of rights) grant(fn, data)
}
