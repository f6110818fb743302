/** Text requests whose prompts have an exact number of tokens, no two of which begin alike. */

import type { ModelDirectory } from '../actors/model/model-directory.ts';
import type { PromptEncoder } from '../actors/model/prompt-encoder.ts';
import { SeededRandom } from '../actors/pd/sampler/random.ts';
import { loadPromptModel } from '../actors/processor/prompt-model.ts';
import { type PeerRequest, userRequest } from './peers/peer-request.ts';

/** Each of these is one token in the middle of a text, whatever the tokenizer: a letter has no shorter piece. */
const LETTERS = 'bdfghjklmnpqvxz';

export class PromptMaker {
  readonly #encoder: PromptEncoder;
  readonly #random = new SeededRandom(1);

  private constructor(encoder: PromptEncoder) {
    this.#encoder = encoder;
  }

  static async for(directory: ModelDirectory): Promise<PromptMaker> {
    return new PromptMaker((await loadPromptModel(directory)).encoder);
  }

  /** @param promptTokens of the whole prompt, chat template included */
  request(promptTokens: number, maxTokens: number): PeerRequest {
    return userRequest([{ type: 'text', text: this.#text(promptTokens) }], maxTokens);
  }

  requests(count: number, promptTokens: number, maxTokens: number): PeerRequest[] {
    return Array.from({ length: count }, () => this.request(promptTokens, maxTokens));
  }

  /** The prompt of a request without images. */
  idsOf({ messages }: PeerRequest): Int32Array {
    const texts = messages.map(({ role, content }) => ({
      role,
      content: content.filter((part) => part.type === 'text'),
    }));
    return Int32Array.from(this.#encoder.encode(texts, []));
  }

  #text(promptTokens: number): string {
    let text = '';
    let missing = promptTokens - this.#tokensOf(text);
    if (missing < 0) throw new RangeError(`the chat template alone has more than ${promptTokens} tokens`);
    // Pieces may join two letters, so what is missing is found out by counting.
    while (missing > 0) {
      for (let i = 0; i < missing; i++) text += this.#letter();
      missing = promptTokens - this.#tokensOf(text);
    }
    while (missing < 0) {
      text = text.slice(0, -1);
      missing = promptTokens - this.#tokensOf(text);
    }
    return missing === 0 ? text : this.#text(promptTokens);
  }

  #letter(): string {
    return LETTERS[this.#random.nextUint32() % LETTERS.length] ?? 'z';
  }

  #tokensOf(text: string): number {
    return this.idsOf(userRequest([{ type: 'text', text }], 1)).length;
  }
}
