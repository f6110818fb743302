/**
 * The processor's own logic, without the actor around it: a caller's messages and image sources in; prompt ids
 * and normalized pixels in shared memory out. Between requests it remembers only which images it has seen.
 */
import { processNow } from '../../runtime/clock.ts';
import { workingOn } from '../../runtime/thread/this-thread.ts';
import type { CompiledConstraint } from '../constraint/compiled-constraint.ts';
import { ConstraintCompiler } from '../constraint/constraint-compiler.ts';
import type {
  ChatRequest,
  EncodedImage,
  PreparedImage,
  ResolvedSampling,
  TokenPositions,
} from '../generation.ts';
import type { TokenPieces } from '../tokenized-prompt.ts';
import { tooManyChoices } from '../too-many-choices.ts';
import { checkAnswerPrefix, withAnswerPrefix } from './answer-prefix.ts';
import { ImageOpener, type ImageOpenerParts, type OpenedImage } from './image-opener.ts';
import { type PreparedPrompt, preparePrompt } from './prepare-prompt.ts';
import { assertTokens, prepareRawPrompt, rawTokens } from './prepare-raw-prompt.ts';
import { loadPromptModel, type PromptModel } from './prompt-model.ts';
import { resolveSampling } from './resolve-sampling.ts';
import { type RequestImage, validateMessages } from './validate-messages.ts';

export type PreparerParts = Omit<ImageOpenerParts, 'images'>;

export interface Prepared {
  readonly promptIds: Int32Array<ArrayBuffer>;
  /** See `RequestEnvelope`. */
  readonly answerTokens: number;
  readonly positions: TokenPositions | undefined;
  readonly images: readonly (PreparedImage | EncodedImage)[];
  readonly sampling: ResolvedSampling;
  readonly constraint: CompiledConstraint | undefined;
  readonly preprocessMs: number;
  /** Lets go of pixels and embeddings. */
  release(): void;
}

export class RequestPreparer {
  readonly #parts: PreparerParts;
  readonly #model: PromptModel;
  readonly #images: ImageOpener;
  readonly #constraints: ConstraintCompiler;

  private constructor(parts: PreparerParts, model: PromptModel) {
    this.#parts = parts;
    this.#model = model;
    this.#constraints = new ConstraintCompiler(model.shownControls);
    this.#images = new ImageOpener({ ...parts, images: model.images });
  }

  /** @throws ModelError when the tokenizer or the chat template cannot be used */
  static async load(parts: PreparerParts): Promise<RequestPreparer> {
    return new RequestPreparer(parts, await loadPromptModel(parts.directory));
  }

  /** Images decoded so far. */
  get decodes(): number {
    return this.#images.decodes;
  }

  /** @throws InputError naming the field, the value and the remedy; the signal's reason when it is aborted */
  async prepare(chat: ChatRequest, requestId: string, signal: AbortSignal): Promise<Prepared> {
    const startedAt = processNow();
    const { directory, limits } = this.#parts;
    const { maxChoices = Number.POSITIVE_INFINITY } = limits;
    const { contextLength, vocabSize } = directory.geometry;
    // Everything that can be refused without touching an image is refused first.
    const requested = this.#requestedImages(chat, requestId);
    const sampling = resolveSampling(chat, directory.generationConfig, contextLength, vocabSize);
    if (sampling.n > maxChoices) throw tooManyChoices(sampling.n, maxChoices);
    const prefix = checkAnswerPrefix(chat, sampling, directory.geometry);
    const constraint = await this.#compiled(chat, requestId, signal);
    signal.throwIfAborted();
    const { opened, ...prompt } = await this.#open(chat, requested, requestId, signal);
    const maxTokens = Math.min(sampling.maxTokens, contextLength - prompt.promptIds.length);
    const { images, release } = await this.#images.place(opened, signal);
    return {
      ...withAnswerPrefix(prompt, prefix),
      answerTokens: prefix.length,
      images,
      sampling: { ...sampling, maxTokens },
      constraint,
      preprocessMs: processNow() - startedAt,
      release,
    };
  }

  /** Ends the thread that compiles constraints. */
  async close(): Promise<void> {
    await this.#constraints.close();
  }

  async #compiled(
    chat: ChatRequest,
    requestId: string,
    signal: AbortSignal,
  ): Promise<CompiledConstraint | undefined> {
    if (chat.constraint === undefined) return undefined;
    try {
      return await this.#constraints.compile(chat.constraint, requestId, signal);
    } catch (error) {
      throw await this.#constraints.blamed(error, chat, signal);
    }
  }

  /**
   * The tokens of a prompt, in which nothing is decoded and which need not leave room for an answer when it is raw.
   * @throws InputError naming the field, the value and the remedy; the signal's reason when it is aborted
   */
  async tokenize(
    chat: ChatRequest,
    requestId: string,
    signal: AbortSignal,
  ): Promise<Int32Array<ArrayBuffer>> {
    const { prompt } = chat;
    if (prompt !== undefined) {
      return workingOn(requestId, () => Int32Array.from(rawTokens(this.#model, prompt)));
    }
    const requested = this.#requestedImages(chat, requestId);
    return (await this.#open(chat, requested, requestId, signal)).promptIds;
  }

  pieces(ids: Iterable<number>, how: TokenPieces): (string | readonly number[])[] {
    const { tokenizer } = this.#model;
    return Array.from(ids, (id) =>
      how === 'spelled' ? (tokenizer.pieceOf(id) ?? '') : tokenizer.textOf(id),
    );
  }

  /**
   * The text of tokens, control tokens included.
   * @throws InputError INVALID_CONTENT
   */
  detokenize(tokens: readonly number[]): string {
    assertTokens(this.#model, tokens, 'tokens');
    return this.#model.tokenizer.decodeText(tokens);
  }

  #requestedImages(chat: ChatRequest, requestId: string): readonly RequestImage[] {
    if (chat.prompt !== undefined) return [];
    return workingOn(requestId, () => validateMessages(chat.messages, this.#parts.limits));
  }

  async #open(
    chat: ChatRequest,
    requested: readonly RequestImage[],
    requestId: string,
    signal: AbortSignal,
  ): Promise<PreparedPrompt & { readonly opened: readonly OpenedImage[] }> {
    const opened = await Promise.all(requested.map((image) => this.#images.open(image, signal)));
    const plans = opened.map(({ plan }) => plan);
    const prepared = workingOn(requestId, () =>
      chat.prompt === undefined
        ? preparePrompt(this.#model, chat.messages, plans, chat)
        : prepareRawPrompt(this.#model, chat.prompt),
    );
    return { ...prepared, opened };
  }
}
