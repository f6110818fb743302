/** What a node can be asked to do with a request, and how what it says at the end is read. */
import type { z } from 'zod';
import type { TokenizedPrompt, TokenPieces } from '../../../actors/tokenized-prompt.ts';
import type { ChatResult } from '../../chat-types.ts';
import { badMessage } from '../fleet-errors.ts';
import { detokenizedSchema, resultSchema, type Submit, tokenizedSchema } from '../wire/messages.ts';
import type { SentText } from './sent-text.ts';

export interface RemoteTask<Result> {
  readonly kind: Submit['task'];
  readonly pieces?: TokenPieces | undefined;
  /** Whether the model runs, so that a node has the prompt afterwards. */
  readonly runsModel: boolean;
  /** @throws TroupeError `FLEET_MESSAGE_INVALID` */
  readResult(value: unknown): Result;
  /** Compares it with what the client has already. @throws TroupeError `FLEET_ANSWER_DIVERGED` */
  compare(result: Result, sent: SentText, node: string): void;
}

/** What a node says of an answer that has ended. */
export type RemoteResult = Pick<ChatResult, 'choices' | 'usage' | 'timings' | 'mode' | 'bytesBetweenActors'>;

const answers = {
  runsModel: true,
  // Checked field by field; what an engine adds passes through.
  readResult: (value: unknown) => checked(value, resultSchema) as RemoteResult,
  compare: ({ choices }: RemoteResult, sent: SentText, node: string) => sent.compare(choices, node),
};

/** An answer that comes whole. */
export const ANSWER: RemoteTask<RemoteResult> = { kind: 'answer', ...answers };

/** One that comes as it is made. */
export const STREAM: RemoteTask<RemoteResult> = { kind: 'stream', ...answers };

/** @param pieces what of each token is wanted beside its id */
export function tokenizing(pieces: TokenPieces | undefined): RemoteTask<TokenizedPrompt> {
  return {
    ...{ kind: 'tokenize', pieces, runsModel: false },
    readResult: (value) => {
      const { ids, pieces: told } = checked(value, tokenizedSchema);
      return { ids: Int32Array.from(ids), pieces: told };
    },
    compare: () => undefined,
  };
}

/** The text of the tokens of a request's `prompt`. */
export const DETOKENIZE: RemoteTask<string> = {
  kind: 'detokenize',
  runsModel: false,
  readResult: (value) => checked(value, detokenizedSchema).text,
  compare: () => undefined,
};

function checked<T extends z.ZodType>(value: unknown, schema: T): z.output<T> {
  const result = schema.safeParse(value);
  if (!result.success) throw badMessage('has no result of what was asked');
  return result.data;
}
