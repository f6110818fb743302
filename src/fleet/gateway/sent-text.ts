/**
 * What the client of a stream has already. An answer that goes on at another node begins there anew: that node is told the
 * tokens that were sent, runs them with the prompt, and says them again; here they are taken off, and looked at.
 */
import type { ChatDelta, ChatResult } from '../../chat-types.ts';
import { diverged } from '../fleet-errors.ts';

export class SentText {
  readonly #isContinuable: boolean;
  #began = false;
  #text = '';
  readonly #tokenIds: number[] = [];
  /** Of the node's answer: how much has been compared. */
  #textAt = 0;
  #tokensAt = 0;

  /** @param isContinuable whether another node can go on with the answer once it has begun */
  constructor(isContinuable: boolean) {
    this.#isContinuable = isContinuable;
  }

  /** Whether the request can be given to another node now. */
  get canMove(): boolean {
    return this.#isContinuable || !this.#began;
  }

  get tokenIds(): readonly number[] {
    return this.#tokenIds;
  }

  /** The answer begins anew. */
  restart(): void {
    this.#textAt = 0;
    this.#tokensAt = 0;
  }

  /**
   * What of it is new.
   * @throws TroupeError `FLEET_ANSWER_DIVERGED`
   */
  take(delta: ChatDelta, node: string): ChatDelta | undefined {
    this.#began = true;
    if (!this.#isContinuable) return delta;
    const known = Math.min(delta.text.length, this.#text.length - this.#textAt);
    const isSame = this.#text.startsWith(delta.text.slice(0, known), this.#textAt);
    const knownTokens = Math.min(delta.tokenIds.length, this.#tokenIds.length - this.#tokensAt);
    const areSame = delta.tokenIds
      .slice(0, knownTokens)
      .every((id, i) => id === this.#tokenIds[this.#tokensAt + i]);
    if (!isSame || !areSame) throw diverged(node);
    this.#textAt += delta.text.length;
    this.#tokensAt += delta.tokenIds.length;
    const text = delta.text.slice(known);
    const tokenIds = delta.tokenIds.slice(knownTokens);
    if (text === '' && tokenIds.length === 0) return undefined;
    this.#text += text;
    this.#tokenIds.push(...tokenIds);
    return known === 0 && knownTokens === 0 ? delta : { ...delta, text, tokenIds };
  }

  /**
   * Whether the whole answer is what was sent.
   * @throws TroupeError `FLEET_ANSWER_DIVERGED`
   */
  compare(choices: ChatResult['choices'], node: string): void {
    if (!this.#began || !this.#isContinuable) return;
    if (choices.length !== 1 || choices[0]?.text !== this.#text) throw diverged(node);
  }
}
