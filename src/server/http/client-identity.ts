/**
 * Who a request comes from, for everything that is shared out fairly: one key is one client, and without keys one address
 * is. Of what a client writes into a request nothing counts but a key that is known.
 */
import ipaddr from 'ipaddr.js';

/** An end site has a network of this length at least, and may take any address in it. */
const IPV6_NETWORK_BITS = 64;

/** `192.0.2.1`; an IPv6 network: `2001:db8:0:1::/64`. What is no address is one client, by that name. */
export function addressOf(ip: string | undefined): string {
  if (ip === undefined || !ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${IPV6_NETWORK_BITS}`);
  return `${network.toString()}/${IPV6_NETWORK_BITS}`;
}
