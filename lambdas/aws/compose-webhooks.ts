import { documentClient } from '../../lib/adapters/aws/clients.ts'
import { DeliverEnvironment, FunctionEnvironment, SECRETS } from '../../lib/adapters/aws/environment.ts'
import { readParameters } from '../../lib/adapters/aws/parameters.ts'
import { createTokenStore } from '../../lib/adapters/aws/token-store.ts'
import { readEnvironment } from '../../lib/adapters/env.ts'
import { mayPostTo } from '../../lib/adapters/sinks/may-post.ts'
import { createPoster } from '../../lib/adapters/sinks/webhook.ts'
import type { DeliverPorts } from '../../lib/core/webhooks/ports.ts'
import { parseSecrets } from '../../lib/core/webhooks/signature.ts'
import { announcing, jobsOf, logOf, outgoingRulesOf, sessionsOf } from './compose.ts'

/** What the routes of the delivery log need. */
export function composeWebhookApi() {
  const environment = readEnvironment(FunctionEnvironment)
  const log = logOf(environment)
  const rules = outgoingRulesOf(environment)
  const { ENGINE_API_URL: url } = environment
  return {
    ...{ ...log, ...announcing(environment, log) },
    tokens: createTokenStore(documentClient(), environment.TABLE_NAME),
    webhooks: { ...(url !== undefined && { live: { url } }) },
    mayPostTo: (target: string) => mayPostTo(target, rules),
  }
}

/** What sends webhooks. Its secrets are read anew now and then, so that a changed one needs no deployment. */
export function composeDeliver() {
  const environment = readEnvironment(FunctionEnvironment)
  const { PARAMETERS } = readEnvironment(DeliverEnvironment)
  const log = logOf(environment)
  const { ENGINE_API_URL: url } = environment
  const fixed = {
    ...{ ...log, ...announcing(environment, log), random: Math.random },
    ...{ sessions: sessionsOf(environment), jobs: jobsOf(environment) },
    post: createPoster(outgoingRulesOf(environment)),
  }
  const read = readParameters(PARAMETERS, SECRETS)
  return {
    begin: log.begin,
    async ports(): Promise<DeliverPorts> {
      const { 'engine-api-token': token, 'webhook-secret': secret = '' } = await read()
      const secrets = parseSecrets(secret)
      const live = url === undefined ? undefined : { url, ...(token !== undefined && { token }) }
      return { ...fixed, webhooks: { secrets, ...(live && { live }) } }
    },
  }
}
