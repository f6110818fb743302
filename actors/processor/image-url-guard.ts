/** What a URL itself says about whether it may be fetched: scheme, credentials, host. Asked again at each redirect. */
import type { ImagePolicy } from './image-policy.ts';

/** @returns what is wrong with the URL and what to do instead; undefined when it may be fetched */
export function urlRefusal(
  url: URL,
  { plainHttp, hosts }: Pick<ImagePolicy, 'plainHttp' | 'hosts'>,
): { readonly problem: string; readonly remedy: string } | undefined {
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
  return undefined;
}

/** `example.org` is that host alone, `*.example.org` every host below it. A trailing dot makes no difference. */
function matchesHost(pattern: string, hostname: string): boolean {
  const wanted = pattern.toLowerCase();
  const host = hostname.toLowerCase().replace(/\.$/, '');
  return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) : host === wanted;
}
