/**
 * One request's way through the fleet: to a node, to another when that one is lost or will not have it, and on from what
 * the client has already when it had begun to answer.
 */
import { randomInt } from 'node:crypto';
import type { ChatRequest } from '../../../actors/generation.ts';
import type { ImagePolicy } from '../../../actors/image-policy.ts';
import { processNow } from '../../../runtime/clock.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import type { ChatDelta, ChatResult } from '../../chat-types.ts';
import { badMessage, nodeLost, noNode } from '../fleet-errors.ts';
import { requestKeys, type WorkKey } from '../request-keys.ts';
import { type ChatParcel, packChat, parcelOf } from '../wire/chat-parcel.ts';
import type { Submit } from '../wire/messages.ts';
import { awaitNode } from './await-node.ts';
import type { GatewayLink } from './gateway-link.ts';
import type { KnownNode } from './node-table.ts';
import type { RemoteAttempt, RemoteResult } from './remote-attempt.ts';
import { SentText } from './sent-text.ts';

export interface RemoteRunOptions {
  readonly link: GatewayLink;
  readonly model: string;
  readonly stream: boolean;
  readonly timeoutMs: number;
  readonly trace: Submit['trace'];
  readonly images: { readonly policy: ImagePolicy; readonly maxBytes: number };
  /** Aborted by the caller, or when its time is up. */
  readonly signal: AbortSignal;
  /** The request was given to another node. */
  onMove(from: string, tokens: number, error: TroupeError): void;
  /** Called after the last delta was taken. */
  onResult(result: ChatResult): void;
}

/** Nodes that may be lost with a request: one that kills whoever has it must not go round the fleet. */
const MOST_MOVES = 3;

const SEEDS = 2 ** 32;

/** Losses that say nothing about the request: another node may well serve it. */
const LOST: ReadonlySet<string> = new Set([
  'FLEET_NODE_LOST',
  'FLEET_UNREACHABLE',
  'FLEET_MESSAGE_INVALID',
  'ACTOR_DIED',
  'ACTOR_STOPPED',
  'ACTOR_ESCALATED',
  'ENGINE_STOPPED',
  'MODEL_FILE_CHANGED',
  'TENSOR_RELEASED',
]);

/** It was not begun there: others are asked, and it counts for nothing. */
const NOT_TAKEN: ReadonlySet<string> = new Set([
  'QUEUE_FULL',
  'SERVER_STARTING',
  'SERVER_DRAINING',
  'FLEET_NO_NODE',
  'MODEL_HAS_NO_ROOM',
  'MODEL_NOT_LOADED',
]);

/** Yields deltas. Throws the request's failure. */
export async function* runRemotely(
  chat: ChatRequest,
  options: RemoteRunOptions,
): AsyncGenerator<ChatDelta, void, void> {
  const submittedAt = processNow();
  const { link, model, signal, stream } = options;
  const packed = await packChat(chat, { ...options.images, signal });
  // Whoever goes on with the answer has to draw the same numbers.
  const seed = packed.chat.seed ?? randomInt(SEEDS);
  const work = requestKeys(model, packed.chat.messages, packed.images);
  const sent = new SentText(isContinuable(packed.chat));
  const refused = new Set<string>();
  const lost = new Set<string>();
  let firstTextAt: number | undefined;
  let moves = 0;
  let last: unknown = noNode(model);
  for (;;) {
    await link.connection.ready(signal);
    const tried = new Set([...refused, ...lost]);
    const node =
      (await awaitNode(link, { model, work, tried, signal })) ??
      // One that has lost it may have recovered: better than nobody.
      (lost.size > 0 ? await awaitNode(link, { model, work, tried: refused, signal }) : undefined);
    if (node === undefined) throw last;
    const parcel = continued(packed, seed, sent.tokenIds);
    let attempt: RemoteAttempt | undefined;
    try {
      const leftMs = options.timeoutMs - (processNow() - submittedAt);
      const { trace } = options;
      attempt = await handed(link, node, { parcel, work, leftMs, trace, model, stream }, signal);
      sent.restart();
      const deltas = attempt.deltas();
      for (;;) {
        const next = await aborting(deltas.next(), signal, attempt);
        if (next.done) {
          sent.compare(next.value.choices, node.id);
          options.onResult(resultOf(next.value, { submittedAt, firstTextAt, node }));
          return;
        }
        const fresh = sent.take(next.value, node.id);
        if (fresh === undefined) continue;
        firstTextAt ??= processNow();
        yield fresh;
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!TroupeError.is(error)) throw error;
      last = error;
      // What it said cannot be taken up where it ended: its client may ask again.
      const isLost = NOT_TAKEN.has(error.code) || LOST.has(error.code);
      if (isLost && !sent.canMove) throw nodeLost(node.id, moves, error);
      if (NOT_TAKEN.has(error.code)) {
        refused.add(node.id);
        continue;
      }
      // A model that cannot go on behind tokens.
      if (error.code === 'INVALID_ANSWER_PREFIX' && sent.tokenIds.length > 0)
        throw nodeLost(node.id, moves, error);
      if (!LOST.has(error.code)) throw error;
      lost.add(node.id);
      moves += 1;
      if (moves > MOST_MOVES) throw nodeLost(node.id, moves - 1, error);
      options.onMove(node.id, sent.tokenIds.length, error);
    } finally {
      if (attempt !== undefined) link.finish(node, attempt, model);
    }
  }
}

interface Handing {
  readonly parcel: ChatParcel;
  readonly work: readonly WorkKey[];
  readonly leftMs: number;
  readonly trace: Submit['trace'];
  readonly model: string;
  readonly stream: boolean;
}

async function handed(
  link: GatewayLink,
  node: KnownNode,
  handing: Handing,
  signal: AbortSignal,
): Promise<RemoteAttempt> {
  signal.throwIfAborted();
  const taken = link.hand(node, handing);
  // Who leaves meanwhile does not wait for the node's word; whatever it is, the node is told then.
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([taken, promise]);
  } catch (error) {
    taken.then(
      (attempt) => link.finish(node, attempt, handing.model),
      () => undefined,
    );
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** An abort ends the attempt, whether or not the node says anything. */
async function aborting<T>(next: Promise<T>, signal: AbortSignal, attempt: RemoteAttempt): Promise<T> {
  const onAbort = () => attempt.fail(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await next;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Whether its tokens are all that its answer is made from: only then can another node go on behind them. */
function isContinuable({ n = 1, logprobs, constraint, tools = [] }: ChatRequest<unknown>): boolean {
  return n === 1 && logprobs !== true && constraint === undefined && tools.length === 0;
}

function continued({ chat, images }: ChatParcel, seed: number, tokenIds: readonly number[]): ChatParcel {
  return parcelOf({ ...chat, seed, ...(tokenIds.length > 0 && { answerPrefix: tokenIds }) }, images);
}

interface Observed {
  readonly submittedAt: number;
  readonly firstTextAt: number | undefined;
  readonly node: KnownNode;
}

/** Times that the client sees are those at the gateway; what the node did when is in its own trace. */
function resultOf(result: RemoteResult, { submittedAt, firstTextAt, node }: Observed): ChatResult {
  const now = processNow();
  const firstAt = firstTextAt ?? now;
  const [first] = result.choices;
  if (first === undefined) throw badMessage('has no answer');
  const { index: _, ...answer } = first;
  return {
    ...answer,
    ...result,
    timings: { ...result.timings, timeToFirstTokenMs: firstAt - submittedAt, totalMs: now - submittedAt },
    stages: [{ stage: 'transfer', actor: node.id, startedAt: submittedAt, endedAt: now }],
  };
}
