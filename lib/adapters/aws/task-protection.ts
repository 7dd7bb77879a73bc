import * as z from 'zod'
import type { Log } from '../../core/ports.ts'
import { awsName } from './errors.ts'

export interface TaskProtectionOptions {
  /** $ECS_AGENT_URI of the container; left out (no task of ECS), nobody is told anything. */
  readonly agentUri?: string | undefined
  readonly log: Log
  /** How often the protection is renewed while there is work. */
  readonly renewMs?: number
}

export interface TaskProtection {
  /** Runs `work`; from its begin to its end no scale-in and no deployment takes this task away. */
  during<T>(work: () => Promise<T>): Promise<T>
}

/**
 * A protection that nobody renews ends by itself after so long. It is short on purpose: ECS refuses to renew one that
 * holds a deployment up (DEPLOYMENT_BLOCKED), so a deployment waits no longer than this for tasks that are never idle.
 */
const EXPIRES_MINUTES = 10
const RENEW_MS = 3 * 60_000
const TIMEOUT_MS = 5000

/** One of the three is there; the agent answers some refusals with 200. */
const Reply = z.object({
  protection: z.object({ ProtectionEnabled: z.boolean() }).optional(),
  failure: z.object({ Reason: z.string() }).optional(),
  error: z.object({ Code: z.string() }).optional(),
})

/**
 * Tells the ECS agent whether this task is at work. A refusal is logged and otherwise without effect: the worst that
 * can follow is a SIGTERM in the middle of a job, which then goes on elsewhere.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 */
export function createTaskProtection(options: TaskProtectionOptions): TaskProtection {
  const { agentUri, log, renewMs = RENEW_MS } = options
  if (agentUri === undefined) return { during: (work) => work() }
  let running = 0
  let told = false
  let telling: Promise<void> = Promise.resolve()
  let renewal: NodeJS.Timeout | undefined

  async function tell(wanted: boolean): Promise<void> {
    told = wanted
    try {
      const refusal = await ask(agentUri!, wanted)
      if (refusal !== undefined) log.warn('task protection refused', { code: refusal })
    } catch (error) {
      log.warn('task protection failed', { code: awsName(error) })
    }
  }

  // One request at a time, each about what is true when it is made.
  const tellIf = (due: (wanted: boolean) => boolean) => {
    telling = telling.then(() => (due(running > 0) ? tell(running > 0) : undefined))
  }

  function begin(): void {
    if (++running > 1) return
    tellIf((wanted) => wanted !== told)
    renewal = setInterval(() => tellIf((wanted) => wanted), renewMs)
  }

  function end(): void {
    if (--running > 0) return
    clearInterval(renewal)
    tellIf((wanted) => wanted !== told)
  }

  return {
    async during(work) {
      begin()
      try {
        return await work()
      } finally {
        end()
      }
    },
  }
}

/** Resolves to the reason of a refusal. Believes what the agent says it has done, not the status. */
async function ask(agentUri: string, wanted: boolean): Promise<string | undefined> {
  const body = wanted
    ? { ProtectionEnabled: true, ExpiresInMinutes: EXPIRES_MINUTES }
    : { ProtectionEnabled: false }
  const reply = await fetch(`${agentUri}/task-protection/v1/state`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const { protection, failure, error } = Reply.parse(await reply.json())
  if (protection?.ProtectionEnabled === wanted) return undefined
  return failure?.Reason ?? error?.Code ?? `HTTP ${reply.status}`
}
