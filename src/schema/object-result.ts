/** Answers that are objects of a schema: a `ChatResult` with the object in it. */
import { TroupeError } from '../../runtime/errors.ts';
import type { ChatChoice, ChatDelta, ChatOptions, ChatResult, ChatStream } from '../chat-types.ts';
import type { AnySchema, SchemaOutput } from './any-schema.ts';
import { checkedValue } from './checked-value.ts';

/** A request whose answer is an object of a schema. */
export interface ObjectOptions<Schema extends AnySchema> extends ChatOptions {
  /** What the answer has to be. It is held to it while it is made, and checked by it afterwards. */
  readonly schema: Schema;
  /** A schema is one. */
  readonly constraint?: never;
}

/** An answer that is an object. */
export interface ObjectChoice<Value> extends ChatChoice {
  /** What the schema makes of the text; undefined when the answer calls tools instead. */
  readonly object: Value;
}

/** A whole answer that is an object, and what it took. */
export interface ObjectResult<Value> extends ChatResult {
  /** What the schema makes of the text; undefined when the answer calls tools instead. */
  readonly object: Value;
  /** All `n` answers, in order; the first is the one of `text`. */
  readonly choices: readonly ObjectChoice<Value>[];
}

/** An object in the making: iterate for its text, await `result` for the object. */
export interface ObjectStream<Value> extends AsyncIterable<ChatDelta> {
  /** Settles when the deltas have been consumed. */
  readonly result: Promise<ObjectResult<Value>>;
  /** As of a `ChatStream`. */
  abort(reason?: unknown): void;
}

/** What a request's object is: there is none where the model called a tool. */
export type ObjectOf<Options extends ObjectOptions<AnySchema>> =
  Options extends Required<Pick<ChatOptions, 'tools'>>
    ? SchemaOutput<Options['schema']> | undefined
    : SchemaOutput<Options['schema']>;

/** @throws TroupeError OBJECT_INCOMPLETE, OBJECT_INVALID, for all of the answers when for one */
export async function withObject(result: ChatResult, schema: AnySchema): Promise<ObjectResult<unknown>> {
  const choices = await Promise.all(
    result.choices.map(async (choice) => ({ ...choice, object: await objectOf(choice, schema) })),
  );
  return { ...result, choices, object: choices[0]?.object };
}

async function objectOf({ text, finishReason, toolCalls }: ChatChoice, schema: AnySchema): Promise<unknown> {
  if (finishReason === 'length') {
    throw new TroupeError('the answer was cut short before its object was complete: give it more maxTokens', {
      code: 'OBJECT_INCOMPLETE',
      details: { text },
    });
  }
  if (toolCalls !== undefined) return undefined;
  return await checkedValue(text, schema, {
    incomplete: 'OBJECT_INCOMPLETE',
    invalid: 'OBJECT_INVALID',
    what: 'the answer',
  });
}

export class ObjectRun implements ObjectStream<unknown> {
  readonly #stream: ChatStream;
  readonly result: Promise<ObjectResult<unknown>>;

  constructor(stream: ChatStream, schema: AnySchema) {
    this.#stream = stream;
    this.result = stream.result.then((result) => withObject(result, schema));
    // A caller who only iterates sees failures there.
    this.result.catch(() => {});
  }

  abort(reason?: unknown): void {
    this.#stream.abort(reason);
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatDelta> {
    return this.#stream[Symbol.asyncIterator]();
  }
}
