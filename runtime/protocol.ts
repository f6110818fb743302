/**
 * A protocol says which messages an actor understands, once, for both ends of every channel.
 *
 *     export const counter = protocol('counter', {
 *       add: ask<number, number>(),
 *       reset: tell<void>(),
 *       ticks: stream<{ every: number }, number, void>(),
 *     });
 *
 * A `tell` is not answered, an `ask` is answered once, a `stream` is answered by any number of chunks and one
 * final value. The payload types exist for the compiler only; at run time a protocol is its name and the kind
 * of each method.
 */

declare const TYPES: unique symbol;

/** A message without an answer; made by `tell`. */
export interface TellMethod<Message> {
  /** Tells the kinds of methods apart. */
  readonly kind: 'tell';
  /** For the compiler alone. @internal */
  readonly [TYPES]?: (message: Message) => void;
}

/** A message with one answer; made by `ask`. */
export interface AskMethod<Request, Response> {
  /** Tells the kinds of methods apart. */
  readonly kind: 'ask';
  /** For the compiler alone. @internal */
  readonly [TYPES]?: (request: Request) => Response;
}

/** A message that is answered by chunks and a final value; made by `stream`. */
export interface StreamMethod<Request, Chunk, Final> {
  /** Tells the kinds of methods apart. */
  readonly kind: 'stream';
  /** For the compiler alone. @internal */
  readonly [TYPES]?: (request: Request) => readonly [Chunk, Final];
}

/** A method of a protocol, of any kind. */
// biome-ignore lint/suspicious/noExplicitAny: the top type of all methods, never the type of a value
export type Method = TellMethod<any> | AskMethod<any, any> | StreamMethod<any, any, any>;
/** Whether a method is told, asked or streamed. */
export type MethodKind = Method['kind'];
/** The methods of a protocol, by name. */
export type Methods = Readonly<Record<string, Method>>;

/** Which messages an actor understands; made by `protocol`. */
export interface Protocol<M extends Methods = Methods> {
  /** For people and errors; need not be unique. */
  readonly name: string;
  /** The kind of each method; its types are the compiler's. */
  readonly methods: M;
}

/** Declares a message that is not answered. */
export const tell = <Message = void>(): TellMethod<Message> => ({ kind: 'tell' });
/** Declares a message that is answered once. */
export const ask = <Request = void, Response = void>(): AskMethod<Request, Response> => ({ kind: 'ask' });
/** Declares a message that is answered by any number of chunks and one final value. */
export const stream = <Request = void, Chunk = unknown, Final = void>(): StreamMethod<
  Request,
  Chunk,
  Final
> => ({ kind: 'stream' });

/**
 * Declares a protocol. Payloads have to be cloneable, or refs, or records of shared tensors.
 *
 * @param name for people and errors
 *
 * @param methods what `tell`, `ask` and `stream` made, by name
 *
 * @example
 * ```ts
 * import { ask, protocol, stream, tell } from 'troupe/runtime';
 *
 * export const counter = protocol('counter', {
 *   add: ask<number, number>(),
 *   reset: tell<void>(),
 *   ticks: stream<{ every: number }, number, void>(),
 * });
 * ```
 */
export function protocol<M extends Methods>(name: string, methods: M): Protocol<M> {
  return { name, methods };
}

// ------------------------------------------------------------------------------------- reading the types

/** The names of a protocol's methods of one kind. */
export type MethodNames<P extends Protocol, Kind extends MethodKind> = {
  [Name in keyof P['methods'] & string]: P['methods'][Name]['kind'] extends Kind ? Name : never;
}[keyof P['methods'] & string];

/** What a method of a protocol is called with. */
export type RequestOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends TellMethod<infer Message>
    ? Message
    : P['methods'][Name] extends AskMethod<infer Request, unknown>
      ? Request
      : P['methods'][Name] extends StreamMethod<infer Request, unknown, unknown>
        ? Request
        : never;

/** What an `ask` method is answered with. */
export type ResponseOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends AskMethod<infer _Request, infer Response> ? Response : never;

/** What a `stream` method is answered with, piece by piece. */
export type ChunkOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends StreamMethod<infer _Request, infer Chunk, infer _Final> ? Chunk : never;

/** What a `stream` method ends with. */
export type FinalOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends StreamMethod<infer _Request, infer _Chunk, infer Final> ? Final : never;
