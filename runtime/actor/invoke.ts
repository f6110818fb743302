/** Calls the handler that a message is for, if the protocol and the message agree on what it is. */
import { ActorError, TroupeError } from '../errors.ts';
import type { Methods } from '../protocol.ts';
import { messageOf } from '../util/realms.ts';
import { decodePayload, type Reviver } from '../wire/payload-codec.ts';
import type { Delivery } from './inlet.ts';

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
 * The handler's answer. Throws what the handler declares, or an `ActorError`: `DEFECT` for anything else it throws,
 * `PROTOCOL_VIOLATION` for a message that is not in the protocol.
 */
export async function invoke(actor: Invocable, { message, interrupt, writer }: Delivery): Promise<unknown> {
  const { method } = message;
  const kind = actor.methods[method]?.kind;
  const handler = actor.handlers[method];
  if (kind === undefined || handler === undefined) throw violation(actor, `has no method "${method}"`);
  if (MESSAGE_OF[kind] !== message.t)
    throw violation(actor, `got "${message.t}" for the ${kind} "${method}"`);
  const payload = message.rich ? decodePayload(message.payload, actor.revive) : message.payload;
  const call = { signal: interrupt.signal };
  try {
    return await (writer === undefined ? handler(payload, call) : handler(payload, writer, call));
  } catch (error) {
    throw TroupeError.is(error) ? error : defect(actor, method, error);
  }
}

function violation({ name }: Invocable, problem: string): ActorError {
  return new ActorError(`${name} ${problem}`, { code: 'PROTOCOL_VIOLATION' });
}

function defect({ name: actor }: Invocable, method: string, cause: unknown): ActorError {
  return new ActorError(`${actor}.${method} failed unexpectedly: ${messageOf(cause)}`, {
    code: 'DEFECT',
    details: { actor, method },
    cause,
  });
}
