/** What the suites read off one turn of a side: its answers, token by token. */
import { median } from 'simple-statistics';
import type { Troupe } from '../../src/index.ts';
import type { LlamaAnswer, LlamaPeer } from '../peers/llama-request.ts';
import { type PeerRequest, toChatOptions } from '../peers/peer-request.ts';
import type { PromptMaker } from '../prompt-maker.ts';

/** Milliseconds. */
export interface Turn {
  /** From the first request to the last token. */
  readonly ms: number;
  /** The median request's. */
  readonly firstTokenMs: number;
  /** Of one token while all answers are running, the prompts' own time left out; NaN where they never are. */
  readonly tokenMs: number;
}

/** @throws Error when an answer has not the length that was asked for: what is compared must do the same work */
export function turnOf(
  side: string,
  { ms, arrivals }: Pick<LlamaAnswer, 'ms' | 'arrivals'>,
  requests: readonly { readonly maxTokens: number }[],
): Turn {
  for (const [index, { maxTokens }] of requests.entries()) {
    const made = arrivals[index]?.length ?? 0;
    if (made !== maxTokens) throw new Error(`${side} made ${made} tokens, not ${maxTokens}`);
  }
  const firsts = arrivals.map(([first = Number.NaN]) => first);
  const from = Math.max(...firsts);
  const to = Math.min(...arrivals.map((times) => times.at(-1) ?? Number.NaN));
  const between = arrivals.flat().filter((at) => at > from && at <= to).length;
  return { ms, firstTokenMs: median(firsts), tokenMs: between === 0 ? Number.NaN : (to - from) / between };
}

/** Requests without images, as token ids. */
export function askLlama(
  peer: LlamaPeer,
  requests: readonly PeerRequest[],
  prompts: PromptMaker,
  knowsPrompts?: boolean,
): Promise<LlamaAnswer> {
  const asked = requests.map((request) => ({
    ids: [...prompts.idsOf(request)],
    maxTokens: request.maxTokens,
  }));
  return peer.answer({ requests: asked, knowsPrompts });
}

/** All requests at once, streamed. Tokens that come in one piece have come at the same time. */
export async function askTroupe(engine: Troupe, requests: readonly PeerRequest[]): Promise<LlamaAnswer> {
  const since = performance.now();
  const answers = await Promise.all(
    requests.map(async (request) => {
      const stream = engine.stream(toChatOptions(request));
      const arrivals: number[] = [];
      for await (const { tokenIds } of stream) {
        const at = performance.now() - since;
        arrivals.push(...tokenIds.map(() => at));
      }
      const { tokenIds } = await stream.result;
      return { tokenIds, arrivals };
    }),
  );
  return {
    ms: performance.now() - since,
    tokenIds: answers.map(({ tokenIds }) => tokenIds),
    arrivals: answers.map(({ arrivals }) => arrivals),
  };
}
