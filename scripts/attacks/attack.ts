/** What an attack is, and what most of them do: the same thing again and again on many connections. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** From which the attacker connects; the bystander has another. */
  readonly from: string;
}

export interface Attack {
  readonly name: string;
  readonly what: string;
  /** Goes on until the signal; resolves when all that it opened is closed. */
  run(target: Target, signal: AbortSignal, endings: Endings): Promise<void>;
}

/** How often each status or error was the end of a request. */
export class Endings {
  readonly #counts = new Map<string, number>();

  add(ending: string | number): void {
    this.#counts.set(`${ending}`, (this.#counts.get(`${ending}`) ?? 0) + 1);
  }

  toString(): string {
    return [...this.#counts].map(([ending, count]) => `${ending} ×${count}`).join(', ') || 'none';
  }
}

/** A moment, so that a server which refuses at once is not asked only by how fast the attacker can fail. */
const BREATH_MS = 5;

export async function repeatedly(
  connections: number,
  signal: AbortSignal,
  once: () => Promise<unknown>,
): Promise<void> {
  const loop = async () => {
    while (!signal.aborted) await once();
  };
  await Promise.all(Array.from({ length: connections }, loop));
}

/** A request with a body; resolves with its status, or its error's code. */
export function send(
  { host, port, from }: Target,
  signal: AbortSignal,
  { path = '/v1/chat/completions', method = 'POST', headers = {}, body = Buffer.alloc(0) } = {},
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const type = method === 'POST' ? { 'content-type': 'application/json', 'content-length': body.length } : {};
  const options = { host, port, localAddress: from, path, method, signal, agent: false } as const;
  const asking = request({ ...options, headers: { ...type, ...headers } }, (response) => {
    response.resume();
    response.on('close', () => resolve(`${response.statusCode}`));
  });
  const failed = async (error: Error & { readonly code?: string }) => {
    await wait(BREATH_MS);
    resolve(error.code ?? error.name);
  };
  asking.on('error', (error) => void failed(error));
  asking.end(body);
  return promise;
}

/** A connection that is opened, used as `use` says, and over when either side closes it or the signal comes. */
export async function socket(
  { host, port, from }: Target,
  signal: AbortSignal,
  endings: Endings,
  use: (socket: Socket) => void,
): Promise<void> {
  if (signal.aborted) return;
  const opened = connect({ host, port, localAddress: from });
  let said = '';
  opened.on('error', () => {});
  opened.on('data', (bytes) => {
    said ||= /^HTTP\/1\.1 (\d+)/.exec(bytes.toString('latin1'))?.[1] ?? '';
  });
  const close = () => opened.destroy();
  signal.addEventListener('abort', close, { once: true });
  opened.once('connect', () => use(opened));
  if (!opened.closed) await new Promise((resolve) => opened.once('close', resolve));
  signal.removeEventListener('abort', close);
  endings.add(said || 'no answer');
  if (!signal.aborted) await wait(BREATH_MS);
}

/** Writes the same bytes for as long as they are taken. */
export async function pour(to: Socket, bytes: Buffer): Promise<void> {
  while (to.writable) {
    if (!to.write(bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
  }
}
