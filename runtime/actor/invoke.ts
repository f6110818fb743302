/** Calls the handler that a message is for, if the protocol and the message agree on what it is. */
import { ActorError, TroupeError } from '../errors.ts';
import type { Methods } from '../protocol.ts';
import { messageOf } from '../util/realms.ts';
import { decodePayload, type Reviver } from '../wire/payload-codec.ts';
import { type Delivery, DeliveryContext } from './delivery.ts';

export type AnyHandler = (payload: unknown, writerOrCall: unknown, call?: unknown) => unknown;

export interface Invocable {
  readonly name: string;
  readonly methods: Methods;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  readonly revive: Reviver;
}

/** Wire names of the kinds of method. */
const MESSAGE_OF = { tell: 'tell', ask: 'ask', stream: 'open' } as const;

/**
 * The handler's answer, or its promise. Throws what the handler throws, or `PROTOCOL_VIOLATION` for a message that is not
 * in the protocol, or could not be read. A handler that answers at once costs no promise.
 */
export function invoke(actor: Invocable, delivery: Delivery): unknown {
  const { message, writer, unreadable } = delivery;
  const { method } = message;
  if (unreadable !== undefined)
    throw violation(actor, `cannot read "${method}": ${unreadable.message}`, unreadable);
  const kind = Object.hasOwn(actor.methods, method) ? actor.methods[method]?.kind : undefined;
  const handler = actor.handlers[method];
  if (kind === undefined || handler === undefined) throw violation(actor, `has no method "${method}"`);
  if (MESSAGE_OF[kind] !== message.t)
    throw violation(actor, `got "${message.t}" for the ${kind} "${method}"`);
  const payload = decodePayload(message.payload, message.travellers, actor.revive);
  const call = new DeliveryContext(delivery);
  return writer === undefined ? handler(payload, call) : handler(payload, writer, call);
}

/** What the caller is told: an error that the handler declares as it is, anything else as a `DEFECT`. */
export function failureOf(actor: Invocable, method: string, thrown: unknown): TroupeError {
  return TroupeError.is(thrown) ? thrown : defect(actor, method, thrown);
}

function violation({ name }: Invocable, problem: string, cause?: unknown): ActorError {
  return new ActorError(`${name} ${problem}`, { code: 'PROTOCOL_VIOLATION', cause });
}

function defect({ name: actor }: Invocable, method: string, cause: unknown): ActorError {
  return new ActorError(`${actor}.${method} failed unexpectedly: ${messageOf(cause)}`, {
    code: 'DEFECT',
    details: { actor, method },
    cause,
  });
}
