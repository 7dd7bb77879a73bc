import { describe, expect, it } from '@jest/globals'
import { isPublicAddress } from '../../../lib/adapters/sinks/addresses.ts'

describe('an address outside', () => {
  it.each([
    ...['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.255.255', '100.128.0.1', '192.167.0.1'],
    ...['2606:4700:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8', '64:ff9b::808:808'],
  ])('%s may be reached', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it.each([
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1']],
    ['this network', ['0.0.0.0', '0.1.2.3', '::']],
    [
      'link-local and cloud metadata',
      ['169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
    ],
    ['metadata elsewhere', ['100.100.100.200', '168.63.129.16', '192.0.0.192']],
    ['shared by a carrier', ['100.64.0.1', '100.127.255.255']],
    ['multicast and broadcast', ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']],
    [
      'reserved or for tests',
      ['192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1', '2001:db8::1'],
    ],
    [
      'IPv4 inside IPv6',
      ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1', '::a9fe:a9fe'],
    ],
    ['NAT64 of a private one', ['64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::808:808']],
    ['tunnels', ['2002:7f00:1::', '2002:808:808::', '2001:0:808:808::1']],
    ['other IPv6', ['fec0::1', '100::1', '5f00::1', '3fff::1', '4000::1']],
    ['no address', ['', 'example.com', '127.1', '1.2.3', '0x7f.1', '1.2.3.4.5', 'localhost']],
  ])('%s may not', (_kind, addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([])
  })
})
