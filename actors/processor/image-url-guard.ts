/** What a URL itself says about whether it may be fetched: scheme, credentials, host. Asked again at each redirect. */
import { isIP } from 'node:net';
import type { ImagePolicy } from '../image-policy.ts';
import { NO_PUBLIC_ADDRESS } from './guarded-connector.ts';
import { isPublicAddress } from './public-address.ts';

/** @returns what is wrong with the URL and what to do instead; undefined when it may be fetched */
export function urlRefusal(
  url: URL,
  policy: Pick<ImagePolicy, 'plainHttp' | 'hosts' | 'proxy' | 'privateAddresses'>,
): { readonly problem: string; readonly remedy: string } | undefined {
  const { plainHttp, hosts, proxy, privateAddresses } = policy;
  if (url.protocol !== 'https:' && !(plainHttp && url.protocol === 'http:')) {
    const schemes = plainHttp ? 'http and https' : 'https';
    return { problem: `only ${schemes} is fetched here`, remedy: 'Send the image as a data: URL.' };
  }
  if (url.username !== '' || url.password !== '') {
    return { problem: 'carries a user name or password', remedy: 'Leave them out.' };
  }
  if (hosts !== undefined && !hosts.some((pattern) => matchesHost(pattern, url.hostname))) {
    return { problem: 'the host is not on the list of allowed hosts', remedy: 'Send a data: URL.' };
  }
  // Through a proxy, which looks names up itself, no connector sees the address: what the URL itself says is all.
  if (proxy !== undefined && !privateAddresses && isInnerHost(url.hostname)) {
    return { problem: NO_PUBLIC_ADDRESS, remedy: 'Send the image as a data: URL.' };
  }
  return undefined;
}

function isInnerHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(host) !== 0) return !isPublicAddress(host);
  // Names of one label, and those reserved for what is not on the public internet (RFC 6761, RFC 9476 and others).
  return !host.includes('.') || /\.(localhost|local|internal|intranet|lan|home\.arpa)$/i.test(host);
}

/** `example.org` is that host alone, `*.example.org` every host below it. A trailing dot makes no difference. */
function matchesHost(pattern: string, hostname: string): boolean {
  const wanted = pattern.toLowerCase();
  const host = hostname.toLowerCase().replace(/\.$/, '');
  return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted;
}
