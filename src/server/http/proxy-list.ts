/** The proxies in front of a server: what they say of their clients is believed, and they may have many connections. */
import { BlockList, isIPv6 } from 'node:net';

export class ProxyList {
  readonly #list = new BlockList();

  /** @param networks `10.0.0.1`, `10.0.0.0/8`, `fd00::/8` */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  includes(address: string | undefined): boolean {
    return address !== undefined && this.#list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}
