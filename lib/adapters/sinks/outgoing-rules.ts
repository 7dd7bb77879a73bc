/** What the operator allows beyond the public internet. */
export interface OutgoingRules {
  /** Hosts, or `host:port`, that may lie in a private network and be spoken to without TLS. */
  readonly allow?: readonly string[]
}

/** Below are the ports of mail, databases and consoles, which understand more of an HTTP request than they should. */
const FIRST_FREE_PORT = 1024

/**
 * Where a request to `target` may go: `anywhere` for what the operator has set or listed; else over https to
 * addresses of the public internet. User names and passwords in a URL are refused always: they end up in logs.
 */
export function reachOf(
  target: URL,
  trusted: boolean,
  rules: OutgoingRules,
): 'anywhere' | 'public' | 'refused' {
  if (target.protocol !== 'https:' && target.protocol !== 'http:') return 'refused'
  if (target.username !== '' || target.password !== '') return 'refused'
  if (trusted || isListed(target, rules)) return 'anywhere'
  if (target.protocol === 'http:') return 'refused'
  // The URL's own default, 443, is no text.
  const usual = target.port === '' || Number(target.port) >= FIRST_FREE_PORT
  return usual ? 'public' : 'refused'
}

function isListed({ hostname, protocol, port }: URL, { allow = [] }: OutgoingRules): boolean {
  const withPort = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
  return allow.some((entry) => [hostname, withPort].includes(entry.toLowerCase()))
}
