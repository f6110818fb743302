/** One client: sends a request, reads its answer in the manner of its kind, and says how it ended. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Kind } from './requests.ts';

export type Ending =
  /** The answer was complete. */
  | 'answered'
  /** 429, told when to come again. */
  | 'refused'
  /** 503, told when to come again: the server goes away, or has lost an actor. */
  | 'unavailable'
  /** Another error, as it should be for this request. */
  | 'error'
  /** The client itself left. */
  | 'left'
  /** There was no server to connect to: after SIGTERM, when it has gone. */
  | 'gone'
  /** None of these: what must not happen. */
  | 'lost';

export interface Outcome {
  readonly ending: Ending;
  /** Of an unavailable server: when to come again. */
  readonly retryAfterMs?: number;
  /** Of a request that was lost. */
  readonly why?: string;
}

/** Longer than any request may take. */
const PATIENCE_MS = 120_000;

/** @param leaveAfterMs for a kind that leaves at once */
export async function runClient(url: string, kind: Kind, leaveAfterMs: number): Promise<Outcome> {
  const leaving = new AbortController();
  const tooLong = AbortSignal.timeout(PATIENCE_MS);
  if (kind.leaves === 'at once') setTimeout(() => leaving.abort(), leaveAfterMs);
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(kind.timeoutMs === undefined ? {} : { 'x-request-timeout-ms': String(kind.timeoutMs) }),
      },
      body: JSON.stringify(kind.body),
      signal: AbortSignal.any([leaving.signal, tooLong]),
    });
    const text = await read(response, kind, leaving);
    return outcomeOf(response, text, kind);
  } catch (error) {
    if (leaving.signal.aborted) return { ending: 'left' };
    if (isConnectionRefused(error)) return { ending: 'gone' };
    return { ending: 'lost', why: `${kind.name}: ${tooLong.aborted ? 'no answer' : describe(error)}` };
  }
}

async function read({ body }: Response, kind: Kind, leaving: AbortController): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (kind.leaves === 'midway') leaving.abort();
    if (kind.readsEvery !== undefined) await pause(kind.readsEvery);
  }
  return text;
}

function outcomeOf(response: Response, text: string, { name, body, status = 200, timeoutMs }: Kind): Outcome {
  const retryAfterMs = 1000 * Number(response.headers.get('retry-after'));
  if (response.status === 429 && retryAfterMs > 0) return { ending: 'refused' };
  if (response.status === 503 && retryAfterMs > 0) return { ending: 'unavailable', retryAfterMs };
  if (timeoutMs !== undefined && (response.status === 504 || text.includes('deadline_exceeded'))) {
    return { ending: 'error' };
  }
  const complete = response.status !== 200 || !('stream' in body) || text.endsWith('data: [DONE]\n\n');
  if (response.status !== status || !complete || text === '') {
    return { ending: 'lost', why: `${name}: status ${response.status}, ${text.slice(-200)}` };
  }
  return { ending: status === 200 ? 'answered' : 'error' };
}

function isConnectionRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

/** A failed fetch says why in its cause. */
function describe(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? String(error) : `${error}: ${cause}`;
}
