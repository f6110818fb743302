/** A server on a real port, in this process, and the least it takes to talk to it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { type ServeOptions, serve, type TroupeServer } from '../../../src/server/serve.ts';
import { type Golden, golden, goldenImage } from '../../support/golden.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';
import { nodesOf, serveBehindGateway, VIA_GATEWAY } from './behind-gateway.ts';

export const MODEL = PILOT_MODEL;
export const MODEL_NAME = 'pilot';

/** With one actor of the language model, whatever the cores. To be closed; `await using` does it. */
export function startServer(options: ServeOptions = {}): Promise<TroupeServer> {
  const all = {
    ...(options.models === undefined && { model: MODEL, modelName: MODEL_NAME }),
    port: 0,
    drainMs: 0,
    logger: pino({ level: 'silent' }),
    ...options,
    pd: { count: 1, ...options.pd },
  };
  return VIA_GATEWAY ? serveBehindGateway(serve, all) : serve(all);
}

/** Fields that make the model go on up to the token limit: some seconds of work. See `ENDLESS` of the command line. */
export const ENDLESS = {
  messages: [{ role: 'user', content: 'What do you see?' }],
  repetition_penalty: 1000,
  frequency_penalty: -2,
  presence_penalty: -2,
  max_tokens: 1900,
} as const;

export const HELLO = { messages: [{ role: 'user', content: 'What do you see?' }], max_tokens: 4 } as const;

export function dataUrl(one: Golden): string {
  return `data:image/png;base64,${readFileSync(goldenImage(one)).toString('base64')}`;
}

/** The question of a golden answer, as a client of the API asks it. */
export function askAbout(index: number) {
  const one = golden(index);
  const content = [
    { type: 'image_url' as const, image_url: { url: dataUrl(one) } },
    { type: 'text' as const, text: one.question },
  ];
  return [{ role: 'user' as const, content }];
}

/** A question about a picture that is somewhere. */
export function askAboutUrl(url: string) {
  const content = [
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: 'What is this?' },
  ];
  return { messages: [{ role: 'user', content }], max_tokens: 2 };
}

export function post(
  server: TroupeServer,
  body: unknown,
  { path = '/v1/chat/completions', headers = {}, signal = null as AbortSignal | null } = {},
): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal,
  });
}

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

/** The answer is an error of this status and code, in the shape of the API. */
export async function assertRefused(
  response: Response,
  status: number,
  code: string,
): Promise<ErrorBody['error']> {
  const body: ErrorBody = JSON.parse(await response.text());
  assert.equal(response.status, status, JSON.stringify(body));
  assert.deepEqual(Object.keys(body.error).sort(), ['code', 'message', 'param', 'type']);
  assert.equal(body.error.code, code, body.error.message);
  assert(!body.error.message.includes('\n'));
  return body.error;
}

/** The server is there and answers. */
export async function assertServes(
  server: TroupeServer,
  headers: Record<string, string> = {},
): Promise<void> {
  const health = await fetch(`${server.url}/health`);
  assert.equal(health.status, 200, await health.text());
  const response = await post(server, HELLO, { headers });
  assert.equal(response.status, 200, await response.text());
}

/** The JSON of each event of a stream, without the mark at its end; fails without the mark unless there is an error. */
export function eventsOf(text: string): Record<string, unknown>[] {
  const data = text.split('\n\n').filter((line) => line !== '');
  assert(
    data.every((line) => line.startsWith('data: ')),
    text,
  );
  const events = data.map((line) => line.slice('data: '.length));
  return events.filter((event) => event !== '[DONE]').map((event) => JSON.parse(event));
}

/** Starts a stream that goes on, and resolves when its first text has come. */
export async function startEndless(
  server: TroupeServer,
  headers: Record<string, string> = {},
  maxTokens: number = ENDLESS.max_tokens,
): Promise<Running> {
  const abort = new AbortController();
  const response = await post(
    server,
    { ...ENDLESS, stream: true, max_tokens: maxTokens },
    { signal: abort.signal, headers },
  );
  assert.equal(response.status, 200, response.status === 200 ? '' : await response.text());
  const reader = response.body?.getReader();
  await reader?.read();
  return {
    leave: () => abort.abort(),
    rest: async () => {
      let text = '';
      const decoder = new TextDecoder();
      for (;;) {
        const next = await reader?.read();
        if (next === undefined || next.done) return text;
        text += decoder.decode(next.value, { stream: true });
      }
    },
  };
}

export interface Running {
  /** Closes the connection. */
  leave(): void;
  /** What comes until the end. */
  rest(): Promise<string>;
}

/** Resolves when nothing is running or waiting any more, in the server or in the actors. */
export async function idle(server: TroupeServer): Promise<void> {
  while (await isBusy(server)) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function isBusy(server: TroupeServer): Promise<boolean> {
  const { requests } = JSON.parse(await (await fetch(`${server.url}/health`)).text());
  if (requests.running + requests.waiting > 0) return true;
  for (const { engine } of new Set([server, ...nodesOf(server)])) {
    if (engine.health().requestsInFlight > 0) return true;
    const { actors } = await engine.stats();
    if (actors.some(({ stats }) => Number(stats?.running ?? 0) + Number(stats?.waiting ?? 0) > 0))
      return true;
  }
  return false;
}
