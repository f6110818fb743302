/**
 * A Hub on this machine: real HTTP, with what huggingface.co does that a client has to cope with. Small files come from the
 * Hub itself, large ones (LFS) by a redirect from a second origin, its CDN; ranges, ETags, gated and private models, refusals,
 * connections that are cut, wrong bytes. What was asked and how much was sent is kept, for tests to look at.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';

export interface HubRepo {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly commit: string;
  /** Only for who sends this token. */
  readonly token?: string;
  /** Refused with 403, whatever the token. */
  readonly gated?: boolean;
  /** Sizes that the Hub claims, by path. */
  readonly claimedSizes?: ReadonlyMap<string, number>;
  /** Paths as the Hub lists them, by their real ones. */
  readonly listedAs?: ReadonlyMap<string, string>;
}

/** A request, as it was answered. */
export interface Served {
  readonly origin: 'hub' | 'cdn';
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** Of the body. */
  sentBytes: number;
}

/** What is to go wrong with the next request that it takes. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Sends so many bytes of the body, then closes the connection. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Sends so many bytes of the body and no more; resolves `held` then. */
  | { readonly kind: 'hold'; readonly afterBytes: number; readonly held: () => void }
  | { readonly kind: 'wrong-bytes' }
  | { readonly kind: 'no-ranges' }
  | { readonly kind: 'no-json' };

export interface FaultRule {
  matches(request: Served): boolean;
  /** How often; default once. */
  times?: number;
  readonly fault: Fault;
}

const PAGE = 5;

export function repoOf(files: Iterable<readonly [string, Buffer]>, more: Partial<HubRepo> = {}): HubRepo {
  const map = new Map(files);
  const commit = createHash('sha1')
    .update([...map.keys()].join())
    .digest('hex');
  return { files: map, commit, ...more };
}

/** The files of a folder, as a repository. */
export function repoOfFolder(folder: string, more: Partial<HubRepo> = {}): HubRepo {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('.troupe-cache'));
  return repoOf(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path).replaceAll('\\', '/'), readFileSync(path)] as const;
    }),
    more,
  );
}

export function isLfs(path: string): boolean {
  return /\.onnx(?:_data.*)?$|\.data$|\.bin$/.test(path);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function gitHash(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

export function hashOf(path: string, bytes: Buffer): string {
  return isLfs(path) ? sha256(bytes) : gitHash(bytes);
}

export class HubServer implements AsyncDisposable {
  readonly repos = new Map<string, HubRepo>();
  readonly served: Served[] = [];
  readonly faults: FaultRule[] = [];
  readonly #hub: Server;
  readonly #cdn: Server;

  private constructor() {
    this.#hub = createServer((request, response) => this.#answer('hub', request, response));
    this.#cdn = createServer((request, response) => this.#answer('cdn', request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const each of [server.#hub, server.#cdn]) {
      await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
    }
    return server;
  }

  get endpoint(): string {
    return originOf(this.#hub);
  }

  /** Of bodies of files, by path in the repository. */
  sentBytes(path: string): number {
    return this.served
      .filter((one) => one.path.endsWith(`/${path}`))
      .reduce((sum, one) => sum + one.sentBytes, 0);
  }

  /** How often a file was asked for at the place that has it. */
  requestsFor(path: string): number {
    return this.served.filter((one) => one.path.endsWith(`/${path}`) && one.sentBytes > 0).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [this.#hub, this.#cdn]) {
      each.closeAllConnections();
      await new Promise((resolve) => each.close(resolve));
    }
  }

  #answer(origin: Served['origin'], request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://hub.test');
    const path = decodeURIComponent(url.pathname);
    const { range, authorization } = request.headers;
    const served: Served = { origin, method: request.method ?? '', path, range, authorization, sentBytes: 0 };
    this.served.push(served);
    const fault = this.#takeFault(served);
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'x-error-message': 'as the test wants it', ...fault.headers }).end();
    } else if (fault?.kind === 'no-json') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Please log in to this network</p>');
    } else if (origin === 'cdn') {
      const [, , owner, name, ...rest] = path.split('/');
      const bytes = this.repos.get(`${owner}/${name}`)?.files.get(rest.join('/'));
      if (bytes === undefined) response.writeHead(404).end();
      else sendBytes(bytes, { request, response, served, fault });
    } else this.#answerHub(path, url, { request, response, served, fault });
  }

  #answerHub(path: string, url: URL, exchange: Exchange): void {
    const { response, served } = exchange;
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/(.+)$/.exec(path);
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    const id = api?.[1] ?? file?.[1] ?? '';
    const repo = this.repos.get(id);
    const sent = served.authorization?.replace(/^Bearer /, '');
    if (sent === 'hf_revoked') {
      refuse(response, 401, { 'x-error-message': 'Invalid credentials in Authorization header' });
    } else if (repo === undefined || (repo.token !== undefined && repo.token !== sent)) {
      refuse(response, sent === undefined ? 401 : 404, { 'x-error-code': 'RepoNotFound' });
    } else if (repo.gated === true && (file !== null || sent === undefined)) {
      refuse(response, sent === undefined ? 401 : 403, { 'x-error-code': 'GatedRepo' });
    } else if (api !== null) this.#answerApi(id, repo, api, url, response);
    else if (file !== null)
      this.#resolve(repo, id, { revision: file[2] ?? '', path: file[3] ?? '' }, exchange);
    else refuse(response, 404, {});
  }

  #answerApi(
    id: string,
    repo: HubRepo,
    [, , what, revision = '']: string[],
    url: URL,
    response: ServerResponse,
  ): void {
    if (!['main', 'HEAD', 'v1', 'refs/pr/1', repo.commit].includes(revision)) {
      refuse(response, 404, { 'x-error-code': 'RevisionNotFound' });
      return;
    }
    const paths = [...repo.files.keys()];
    if (what === 'revision') {
      const siblings = paths.map((rfilename) => ({ rfilename }));
      json(response, {
        _id: '0',
        id,
        sha: repo.commit,
        siblings,
        gated: repo.gated ?? false,
        private: false,
      });
      return;
    }
    const from = Number(url.searchParams.get('cursor') ?? 0);
    if (from + PAGE < paths.length) {
      url.searchParams.set('cursor', String(from + PAGE));
      response.setHeader('link', `<${this.endpoint}${url.pathname}${url.search}>; rel="next"`);
    }
    json(
      response,
      paths.slice(from, from + PAGE).map((path) => entryOf(repo, path)),
    );
  }

  #resolve(
    repo: HubRepo,
    id: string,
    { path }: { revision: string; path: string },
    exchange: Exchange,
  ): void {
    const { response } = exchange;
    const bytes = repo.files.get(path);
    if (bytes === undefined) {
      refuse(response, 404, { 'x-error-code': 'EntryNotFound' });
      return;
    }
    response.setHeader('x-repo-commit', repo.commit);
    if (!isLfs(path)) {
      response.setHeader('etag', `"${gitHash(bytes)}"`);
      sendBytes(bytes, exchange);
      return;
    }
    response.setHeader('x-linked-etag', `"${sha256(bytes)}"`);
    response.setHeader('x-linked-size', bytes.length);
    // Another host by its name, too: clients tell by it whom they may send a token.
    response.writeHead(302, { location: `${originOf(this.#cdn, 'localhost')}/lfs/${id}/${path}` }).end();
  }

  #takeFault(served: Served): Fault | undefined {
    const index = this.faults.findIndex((rule) => rule.matches(served));
    const rule = this.faults[index];
    if (rule === undefined) return undefined;
    rule.times = (rule.times ?? 1) - 1;
    if (rule.times <= 0) this.faults.splice(index, 1);
    return rule.fault;
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly served: Served;
  readonly fault: Fault | undefined;
}

function sendBytes(all: Buffer, { request, response, served, fault }: Exchange): void {
  const asked = fault?.kind === 'no-ranges' ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = Number(asked?.[1] ?? 0);
  const to = Math.min(all.length - 1, asked?.[2] ? Number(asked[2]) : all.length - 1);
  if (asked !== null && from > to) {
    response.writeHead(416, { 'content-range': `bytes */${all.length}` }).end();
    return;
  }
  let bytes = all.subarray(from, to + 1);
  if (fault?.kind === 'wrong-bytes') bytes = Buffer.from(bytes.map((byte) => byte ^ 0xff));
  const range = asked === null ? {} : { 'content-range': `bytes ${from}-${to}/${all.length}` };
  response.writeHead(asked === null ? 200 : 206, {
    ...{ 'content-length': bytes.length, 'accept-ranges': 'bytes' },
    ...range,
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const isStopped = fault?.kind === 'cut' || fault?.kind === 'hold';
  const part = isStopped ? bytes.subarray(0, fault.afterBytes) : bytes;
  served.sentBytes += part.length;
  if (!isStopped) response.end(part);
  else response.write(part, () => (fault.kind === 'hold' ? fault.held() : response.socket?.end()));
}

function entryOf(repo: HubRepo, path: string): object {
  const bytes = repo.files.get(path) ?? Buffer.alloc(0);
  const size = repo.claimedSizes?.get(path) ?? bytes.length;
  const listed = { type: 'file', path: repo.listedAs?.get(path) ?? path, size, oid: gitHash(bytes) };
  return isLfs(path) ? { ...listed, lfs: { oid: sha256(bytes), size, pointerSize: 134 } } : listed;
}

function refuse(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{"error":"refused"}');
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function originOf(server: Server, host = '127.0.0.1'): string {
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return `http://${host}:${port}`;
}
