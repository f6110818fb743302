/**
 * Which names this server answers to. A server on the loopback address has no other lock than that only this machine
 * reaches it; a web page can get past it by giving its own name that address (DNS rebinding), but its browser then
 * still sends that name.
 */
import { isLoopback } from '../server-config.ts';

export class HostGuard {
  readonly #names: ReadonlySet<string>;
  readonly #active: boolean;

  constructor(options: { host: string; loopback: boolean; allowedHosts: readonly string[] }) {
    this.#names = new Set([options.host, ...options.allowedHosts].map((name) => name.toLowerCase()));
    this.#active = options.loopback || options.allowedHosts.length > 0;
  }

  /** @param host the header, with or without a port */
  accepts(host: string | undefined): boolean {
    if (!this.#active) return true;
    const name = (host ?? '').toLowerCase().replace(/:\d*$/, '');
    return this.#names.has(name) || isLoopback(name);
  }
}
