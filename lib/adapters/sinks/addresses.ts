import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

// Which addresses outgoing requests may be sent to. What is not known to be public is not.

/** Public by number, and yet answered by the machine's own cloud. */
const OF_THE_CLOUD = new Set([
  // Azure's host agent, https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  '168.63.129.16',
])

/** 64:ff9b::/96 holds an IPv4 address in its last 32 bits (RFC 6052); networks without IPv4 reach it that way. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
/** All that is given out to be used on the internet (https://www.iana.org/assignments/ipv6-address-space). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * True only for addresses of the public internet: not loopback, private, shared (CGNAT), link-local (cloud metadata),
 * multicast, documentation, reserved or tunnel addresses, and no IPv6 address that stands for such an IPv4 one.
 */
export function isPublicAddress(address: string): boolean {
  // The library takes short forms as well, 127.1 for one.
  if (isIP(address) === 0) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv4) return isPublicV4(parsed)
  if (parsed.zoneId) return false
  if (parsed.isIPv4MappedAddress()) return isPublicV4(parsed.toIPv4Address())
  if (parsed.match(NAT64)) return isPublicV4(new ipaddr.IPv4(parsed.toByteArray().slice(12)))
  return parsed.range() === 'unicast' && parsed.match(GLOBAL_UNICAST)
}

const isPublicV4 = (address: ipaddr.IPv4): boolean =>
  address.range() === 'unicast' && !OF_THE_CLOUD.has(address.toString())
