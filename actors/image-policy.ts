/**
 * Which image sources may be opened, and how far: the caller of a program may name any file, the client of a server
 * may not. Plain data, since it is decided on one thread and kept on another.
 */

export type ImageSourceKind = 'bytes' | 'data' | 'file' | 'http';

export interface ImagePolicy {
  /** Kinds of source that are accepted at all. */
  readonly sources: readonly ImageSourceKind[];
  /** Folders that files must lie in once symbolic links are resolved; undefined for anywhere. */
  readonly folders: readonly string[] | undefined;
  /** Whether `http:` is accepted beside `https:`. */
  readonly plainHttp: boolean;
  /** Host names that may be fetched from, `*.example.org` for all below one; undefined for all. */
  readonly hosts: readonly string[] | undefined;
  /** Whether addresses that are not public may be connected to: loopback, private, link-local and the like. */
  readonly privateAddresses: boolean;
  /** For everything: connecting, redirects, the whole body. Milliseconds. */
  readonly fetchTimeoutMs: number;
  /** http(s) URL of the proxy that fetches; it looks names up itself. Undefined for none. */
  readonly proxy: string | undefined;
  /** What is sent as `User-Agent`. */
  readonly userAgent: string;
}

export const DEFAULT_FETCH_TIMEOUT_MS = 10_000;

/** For the person at the keyboard, whose files and network these are. */
export const TRUSTED_IMAGES: ImagePolicy = {
  sources: ['bytes', 'data', 'file', 'http'],
  folders: undefined,
  plainHttp: true,
  hosts: undefined,
  privateAddresses: true,
  fetchTimeoutMs: DEFAULT_FETCH_TIMEOUT_MS,
  proxy: undefined,
  userAgent: 'troupe',
};
