import { isIP } from 'node:net'
import { isPublicAddress } from './addresses.ts'
import { type OutgoingRules, reachOf } from './outgoing-rules.ts'

/**
 * Whether a client's URL is worth accepting: what is sure to be refused when it is posted to (guarded-request.ts) is
 * refused at once. Names are resolved only then.
 */
export function mayPostTo(url: string, rules: OutgoingRules): boolean {
  if (!URL.canParse(url)) return false
  const target = new URL(url)
  const reach = reachOf(target, false, rules)
  if (reach !== 'public') return reach === 'anywhere'
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(host) === 0 ? !/(^|\.)localhost\.?$/.test(host) : isPublicAddress(host)
}
