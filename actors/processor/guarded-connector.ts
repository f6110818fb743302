/**
 * Connections to public addresses only. The check is made on the addresses that the name resolved to for this very
 * connection, and once more on the one that was connected to: a name that answers differently when it is looked up
 * again (DNS rebinding) gains nothing. Literal addresses are never looked up, so they are checked apart.
 */
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { isUnknownName, lookupPublic } from './name-lookup.ts';
import { isPublicAddress } from './public-address.ts';

export type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface GuardedConnectorOptions {
  /** Milliseconds until a connection must stand. */
  readonly timeoutMs: number;
  /** Default `lookupPublic`. */
  readonly resolve?: ResolveAll;
  /** Default `isPublicAddress`. */
  readonly isAllowed?: (address: string) => boolean;
}

export const NO_PUBLIC_ADDRESS = 'the host has no public address';

/** The address is not one that may be connected to. It is not named: a client must not learn the inner network. */
export class AddressRefusedError extends Error {
  constructor() {
    super(NO_PUBLIC_ADDRESS);
  }
}

export function guardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { timeoutMs, resolve = lookupPublic, isAllowed = isPublicAddress } = options;
  const connect = buildConnector({ timeout: timeoutMs, lookup: guardedLookup(resolve, isAllowed) });
  return (target, callback) => {
    const literal = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !isAllowed(literal)) {
      callback(new AddressRefusedError(), null);
      return;
    }
    connect(target, (error, socket) => {
      if (error !== null) callback(error, null);
      else if (isAllowed(socket.remoteAddress ?? '')) callback(null, socket);
      else {
        socket.destroy();
        callback(new AddressRefusedError(), null);
      }
    });
  };
}

/** One address that may not be connected to spoils the name: an honest public host has none. */
function guardedLookup(resolve: ResolveAll, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      // A name of the inner network must look like one that does not exist.
      if (error !== null) callback(isUnknownName(error) ? new AddressRefusedError() : error, '');
      else if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
        callback(new AddressRefusedError(), '');
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
