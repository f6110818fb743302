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

export interface TellMethod<Message> {
  readonly kind: 'tell';
  readonly [TYPES]?: (message: Message) => void;
}

export interface AskMethod<Request, Response> {
  readonly kind: 'ask';
  readonly [TYPES]?: (request: Request) => Response;
}

export interface StreamMethod<Request, Chunk, Final> {
  readonly kind: 'stream';
  readonly [TYPES]?: (request: Request) => readonly [Chunk, Final];
}

// biome-ignore lint/suspicious/noExplicitAny: the top type of all methods, never the type of a value
export type Method = TellMethod<any> | AskMethod<any, any> | StreamMethod<any, any, any>;
export type MethodKind = Method['kind'];
export type Methods = Readonly<Record<string, Method>>;

export interface Protocol<M extends Methods = Methods> {
  readonly name: string;
  readonly methods: M;
}

export const tell = <Message = void>(): TellMethod<Message> => ({ kind: 'tell' });
export const ask = <Request = void, Response = void>(): AskMethod<Request, Response> => ({ kind: 'ask' });
export const stream = <Request = void, Chunk = unknown, Final = void>(): StreamMethod<
  Request,
  Chunk,
  Final
> => ({ kind: 'stream' });

export function protocol<M extends Methods>(name: string, methods: M): Protocol<M> {
  return { name, methods };
}

// ------------------------------------------------------------------------------------- reading the types

/** The names of a protocol's methods of one kind. */
export type MethodNames<P extends Protocol, Kind extends MethodKind> = {
  [Name in keyof P['methods'] & string]: P['methods'][Name]['kind'] extends Kind ? Name : never;
}[keyof P['methods'] & string];

export type RequestOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends TellMethod<infer Message>
    ? Message
    : P['methods'][Name] extends AskMethod<infer Request, unknown>
      ? Request
      : P['methods'][Name] extends StreamMethod<infer Request, unknown, unknown>
        ? Request
        : never;

export type ResponseOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends AskMethod<infer _Request, infer Response> ? Response : never;

export type ChunkOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends StreamMethod<infer _Request, infer Chunk, infer _Final> ? Chunk : never;

export type FinalOf<P extends Protocol, Name extends keyof P['methods']> =
  P['methods'][Name] extends StreamMethod<infer _Request, infer _Chunk, infer Final> ? Final : never;
