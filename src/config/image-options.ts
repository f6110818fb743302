/** The options about image sources, completed and put as the policy that the actors keep. */
import {
  DEFAULT_FETCH_TIMEOUT_MS,
  type ImagePolicy,
  type ImageSourceKind,
} from '../../actors/image-policy.ts';
import { VERSION } from '../version.ts';
import type { ImageOptions } from './options.ts';

/** Hosts that want to know whom to write to are given an address by the operator (`images.userAgent`). */
export const DEFAULT_USER_AGENT = `troupe/${VERSION}`;

/** An option that is `undefined` was not given. */
type Given<T> = { readonly [K in keyof T]?: T[K] | undefined };

export function imagePolicy(given: Given<ImageOptions> = {}): ImagePolicy {
  const { files = 'any', urls = 'http' } = given;
  const folders = typeof files === 'string' ? undefined : files;
  const sources: ImageSourceKind[] = ['bytes', 'data'];
  if (files === 'any' || (folders?.length ?? 0) > 0) sources.push('file');
  if (urls !== 'none') sources.push('http');
  return {
    sources,
    folders,
    plainHttp: urls === 'http',
    hosts: given.hosts,
    privateAddresses: given.privateAddresses ?? false,
    fetchTimeoutMs: given.fetchTimeoutMs ?? DEFAULT_FETCH_TIMEOUT_MS,
    proxy: given.proxy,
    userAgent: given.userAgent ?? DEFAULT_USER_AGENT,
  };
}
