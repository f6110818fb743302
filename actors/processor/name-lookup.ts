/**
 * Addresses of host names, each look-up for itself and within its time. The system's resolver cannot be used for names
 * that strangers choose: a look-up that nobody answers keeps one of the few threads that Node has for it until the
 * system gives up, long after the image was, and two of them keep all others waiting.
 */

import { type LookupAddress, type LookupAllOptions, lookup, Resolver } from 'node:dns';
import { after } from '../../runtime/util/timers.ts';
import type { ResolveAll } from './guarded-connector.ts';
import { hostsFileAddresses } from './hosts-file.ts';

/** For each of two tries. */
const TRY_TIMEOUT_MS = 1_000;
const TRIES = 2;
/** What the other family of addresses may take once one is known. */
const SECOND_FAMILY_MS = 250;
/** Of look-ups by the system. Node has room for two that hang before all others wait. */
const MOST_SYSTEM_LOOKUPS = 1;

type Callback = Parameters<ResolveAll>[2];

/** Names of the public web: the hosts file, then DNS. */
export const lookupPublic: ResolveAll = (hostname, options, callback) => {
  answer(publicAddresses(hostname, options), callback);
};

/** Names of the inner network too: what DNS does not know may be known to the system, by other ways. */
export const lookupInner: ResolveAll = (hostname, options, callback) => {
  answer(innerAddresses(hostname, options), callback);
};

function answer(found: Promise<LookupAddress[]>, callback: Callback): void {
  found.then(
    (addresses) => callback(null, addresses),
    (error: NodeJS.ErrnoException) => callback(error, []),
  );
}

async function publicAddresses(hostname: string, options: LookupAllOptions): Promise<LookupAddress[]> {
  const listed = await hostsFileAddresses(hostname);
  return listed.length > 0 ? ofFamily(listed, options) : await fromDns(hostname, options);
}

async function innerAddresses(hostname: string, options: LookupAllOptions): Promise<LookupAddress[]> {
  try {
    return await publicAddresses(hostname, options);
  } catch (error) {
    if (!isUnknownName(error) && codeOf(error) !== 'ECONNREFUSED') throw error;
    return await fromSystem(hostname, options);
  }
}

/**
 * @param servers to ask instead of those that the system is configured with
 * @throws the error of DNS when no family has an address
 */
export async function fromDns(
  hostname: string,
  options: LookupAllOptions,
  servers?: readonly string[],
): Promise<LookupAddress[]> {
  // A resolver of its own for each: it follows a changed configuration, and can be cancelled.
  const resolver = new Resolver({ timeout: TRY_TIMEOUT_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  const families = ([4, 6] as const).filter((family) => isWanted(family, options));
  const lookups = families.map((family) => ofOneFamily(resolver, hostname, family));
  let impatience: NodeJS.Timeout | undefined;
  const first = await Promise.any(lookups).catch((error: AggregateError) => {
    throw error.errors.find((one) => !isUnknownName(one)) ?? error.errors[0];
  });
  const enough = new Promise<void>((resolve) => {
    impatience = after(SECOND_FAMILY_MS, resolve);
  });
  await Promise.race([Promise.allSettled(lookups), enough]);
  clearTimeout(impatience);
  resolver.cancel();
  const settled = await Promise.allSettled(lookups);
  const found = settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  return found.length > 0 ? found : first;
}

function ofOneFamily(resolver: Resolver, hostname: string, family: 4 | 6): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    const callback = (error: Error | null, addresses: readonly string[] = []) => {
      if (error !== null) reject(error);
      else resolve(addresses.map((address) => ({ address, family })));
    };
    if (family === 4) resolver.resolve4(hostname, callback);
    else resolver.resolve6(hostname, callback);
  });
}

let systemLookups = 0;

function fromSystem(hostname: string, options: LookupAllOptions): Promise<LookupAddress[]> {
  if (systemLookups >= MOST_SYSTEM_LOOKUPS) {
    return Promise.reject(Object.assign(new Error('the system looks up other names'), { code: 'EAGAIN' }));
  }
  systemLookups += 1;
  return new Promise((resolve, reject) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      systemLookups -= 1;
      if (error !== null) reject(error);
      else resolve(addresses);
    });
  });
}

function ofFamily(addresses: readonly LookupAddress[], options: LookupAllOptions): LookupAddress[] {
  return addresses.filter(({ family }) => isWanted(family, options));
}

function isWanted(family: number, options: LookupAllOptions): boolean {
  const { family: wanted = 0 } = options;
  return wanted === 0 || wanted === family || wanted === `IPv${family}`;
}

/** True for what a name that does not exist, or has no address, ends with. */
export function isUnknownName(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME';
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
