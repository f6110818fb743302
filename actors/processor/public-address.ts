/** Tells addresses of the public internet from all others: loopback, private, link-local, reserved, tunnels. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `2000::/3`, the only IPv6 space that is given out for unicast (IANA IPv6 address space registry). */
const GLOBAL_UNICAST = [ipaddr.IPv6.parse('2000::'), 3] as const;

/**
 * False for anything that is not an address. An IPv4 address mapped into IPv6 counts as what it maps; tunnels and
 * translations that carry an IPv4 address (6to4, Teredo, NAT64) are not public.
 */
export function isPublicAddress(text: string): boolean {
  // Stricter than the parser below, which takes 127.1 too; that one throws at zones like `::1%a.b`.
  if (isIP(text) === 0 || !ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST[0], GLOBAL_UNICAST[1]);
}
