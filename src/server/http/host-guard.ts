/**
 * Which names this server answers to. A server on the loopback address has no other lock than that only this machine
 * reaches it; a web page can get past it by giving its own name that address (DNS rebinding), but its browser then
 * still sends that name. What sends no name is no browser: health checks in HTTP/1.0, say. What calls the server by the
 * very address that it has reached it at, as health checks from another machine do, has no name to rebind.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isLoopback } from '../server-config.ts';

export class HostGuard {
  readonly #names: ReadonlySet<string>;
  readonly #active: boolean;

  constructor(options: { host: string; loopback: boolean; allowedHosts: readonly string[] }) {
    this.#names = new Set([options.host, ...options.allowedHosts].map((name) => name.toLowerCase()));
    this.#active = options.loopback || options.allowedHosts.length > 0;
  }

  /**
   * @param host the header, with or without a port; undefined when there is none
   * @param localAddress of the connection
   */
  accepts(host: string | undefined, localAddress: string | undefined): boolean {
    if (!this.#active || host === undefined) return true;
    const name = host.toLowerCase().replace(/:\d*$/, '');
    return this.#names.has(name) || isLoopback(name) || isSameAddress(name, localAddress);
  }
}

/** An IPv4 client of a socket for IPv6 has `::ffff:10.0.0.1`. */
function isSameAddress(name: string, localAddress: string | undefined): boolean {
  const literal = name.replace(/^\[|\]$/g, '');
  // The two do not mean the same by a zone (`::1%a.b`), and the second throws.
  if (localAddress === undefined || isIP(literal) === 0 || !ipaddr.isValid(literal)) return false;
  return ipaddr.process(literal).toString() === ipaddr.process(localAddress.replace(/%.*$/, '')).toString();
}
