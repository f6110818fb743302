/**
 * One request's way through the fleet: to a node, to another when that one is lost or will not have it, and on from what
 * the client has already when it had begun to answer.
 */
import { randomInt } from 'node:crypto';
import type { ChatRequest } from '../../../actors/generation.ts';
import type { ImagePolicy } from '../../../actors/image-policy.ts';
import { processNow } from '../../../runtime/clock.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import type { ChatDelta } from '../../chat-types.ts';
import { nodeLost, noNode } from '../fleet-errors.ts';
import { promptTokensOf, requestKeys } from '../request-keys.ts';
import { type ChatParcel, packChat, parcelOf } from '../wire/chat-parcel.ts';
import type { Submit } from '../wire/messages.ts';
import { awaitNode } from './await-node.ts';
import type { Errand, GatewayLink } from './gateway-link.ts';
import type { KnownNode } from './node-table.ts';
import type { AnyAttempt, RemoteAttempt } from './remote-attempt.ts';
import type { RemoteTask } from './remote-tasks.ts';
import { SentText } from './sent-text.ts';

export interface RemoteRunOptions<Result> {
  readonly task: RemoteTask<Result>;
  readonly link: GatewayLink;
  readonly model: string;
  readonly timeoutMs: number;
  readonly trace: Submit['trace'];
  readonly images: { readonly policy: ImagePolicy; readonly maxBytes: number };
  /** Aborted by the caller, or when its time is up. */
  readonly signal: AbortSignal;
  /** The request was given to another node. */
  onMove(from: string, tokens: number, error: TroupeError): void;
}

/** How it ended, and when it began, on the clock of this process, ms. */
export interface RemoteEnd<Result> {
  readonly result: Result;
  readonly node: KnownNode;
  readonly submittedAt: number;
  readonly firstTextAt: number | undefined;
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

/** Said of the node that it came from; of the gateway, which clients would take it for, it is not true. */
const ABOUT_NODE: ReadonlySet<string> = new Set(['SERVER_STARTING', 'SERVER_DRAINING', 'ENGINE_STOPPED']);

/** Yields deltas. Throws the request's failure. */
export async function* runRemotely<Result>(
  chat: ChatRequest,
  options: RemoteRunOptions<Result>,
): AsyncGenerator<ChatDelta, RemoteEnd<Result>, void> {
  const submittedAt = processNow();
  const { link, model, signal, task } = options;
  const packed = await packChat(chat, { ...options.images, signal });
  // Whoever goes on with the answer has to draw the same numbers.
  const seed = packed.chat.seed ?? randomInt(SEEDS);
  const work = task.runsModel ? requestKeys(model, packed.chat.messages, packed.images) : [];
  const tokens = task.runsModel ? promptTokensOf(packed.chat, packed.images.length) : 0;
  const sent = new SentText(isContinuable(packed.chat));
  const refused = new Set<string>();
  const lost = new Set<string>();
  let firstTextAt: number | undefined;
  let moves = 0;
  let last = noNode(model);
  for (;;) {
    await link.connection.ready(signal);
    const tried = new Set([...refused, ...lost]);
    const chosen =
      (await awaitNode(link, { model, work, tried, signal })) ??
      // One that has lost it may have recovered: better than nobody.
      (lost.size > 0 ? await awaitNode(link, { model, work, tried: refused, signal }) : undefined);
    if (chosen === undefined) throw ABOUT_NODE.has(last.code) ? noNode(model) : last;
    const { node, heldTokens } = chosen;
    const parcel = continued(packed, seed, sent.tokenIds);
    let attempt: RemoteAttempt<Result> | undefined;
    try {
      const leftMs = options.timeoutMs - (processNow() - submittedAt);
      const { trace } = options;
      const promptTokens = Math.max(0, Math.ceil(tokens - heldTokens)) + sent.tokenIds.length;
      attempt = await handed(link, node, { parcel, work, promptTokens, leftMs, trace, model, task }, signal);
      sent.restart();
      const deltas = attempt.deltas();
      for (;;) {
        const next = await aborting(deltas.next(), signal, attempt);
        if (next.done) {
          task.compare(next.value, sent, node.id);
          return { result: next.value, submittedAt, firstTextAt, node };
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

async function handed<Result>(
  link: GatewayLink,
  node: KnownNode,
  errand: Errand<Result>,
  signal: AbortSignal,
): Promise<RemoteAttempt<Result>> {
  signal.throwIfAborted();
  const taken = link.hand(node, errand);
  // Who leaves meanwhile does not wait for the node's word; whatever it is, the node is told then.
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([taken, promise]);
  } catch (error) {
    taken.then(
      (attempt) => link.finish(node, attempt, errand.model),
      () => undefined,
    );
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** An abort ends the attempt, whether or not the node says anything. */
async function aborting<T>(next: Promise<T>, signal: AbortSignal, attempt: AnyAttempt): Promise<T> {
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
