/** One request of a gateway, on the node that answers it: into the node's own queue, through its engine, and back in frames. */
import type { ChatRequest } from '../../../actors/generation.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { after } from '../../../runtime/util/timers.ts';
import type { ChatOptions, ChatResult } from '../../chat-types.ts';
import type { ServedEngine } from '../../served-engine.ts';
import { outcomeOf } from '../../server/chat/outcome.ts';
import type { ServedModel } from '../../server/models/served-model.ts';
import { RequestTrace } from '../../server/observe/tracing.ts';
import { toApiError } from '../../server/openai/to-api-error.ts';
import type { ServerState } from '../../server/server-state.ts';
import type { WaitingBudget } from '../../server/waiting-budget.ts';
import type { FleetConnection } from '../connection.ts';
import { badMessage } from '../fleet-errors.ts';
import { unpackChat } from '../wire/chat-parcel.ts';
import { decodeJson } from '../wire/codec.ts';
import { toFailure } from '../wire/failure.ts';
import { chatSchema, type Submit } from '../wire/messages.ts';
import type { FleetSubjects } from '../wire/subjects.ts';
import type { FrameLog } from './frame-log.ts';
import { fetchPieces } from './piece-fetcher.ts';

export interface NodeRequestParts {
  readonly state: ServerState;
  readonly connection: FleetConnection;
  readonly subjects: FleetSubjects;
  readonly model: ServedModel;
  /** For images of requests that are on this node. */
  readonly budget: WaitingBudget;
  readonly submit: Submit;
  /** Images that came with it. */
  readonly inline: Uint8Array;
  readonly log: FrameLog;
}

interface Done {
  /** Of an answer. */
  readonly result: ChatResult | undefined;
  /** What the gateway is told at the end. */
  readonly told: object;
}

interface Answered extends Done {
  readonly queueMs: number;
}

interface OpenedRequest {
  readonly chat: ChatRequest;
  readonly images: readonly Uint8Array<ArrayBuffer>[];
}

export class NodeRequest {
  readonly log: FrameLog;
  readonly #parts: NodeRequestParts;
  readonly #abort = new AbortController();
  #ended = false;
  #isPromptRun = false;

  constructor(parts: NodeRequestParts) {
    this.log = parts.log;
    this.#parts = parts;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get gateway(): string {
    return this.#parts.submit.gateway;
  }

  get model(): string {
    return this.#parts.submit.model;
  }

  /** Of its prompt, before it is run. */
  get waitingTokens(): number {
    return this.#isPromptRun || this.#ended ? 0 : this.#parts.submit.promptTokens;
  }

  abort(reason: TroupeError): void {
    this.#abort.abort(reason);
  }

  /** Answers it; whatever happens is told to the gateway, and nothing is thrown. */
  async run(): Promise<void> {
    const { state, submit, model } = this.#parts;
    const startedAt = performance.now();
    const trace = new RequestTrace(submit.model, submit.trace);
    const metrics = state.metrics.of(model.config.name);
    const leftMs = leftOf(submit);
    const timer = after(leftMs, () => this.abort(deadlineExceeded(leftMs))).unref();
    state.opened(this);
    let code = 'ok';
    try {
      const { result, told, queueMs } = await this.#answered(leftMs);
      if (result !== undefined) {
        metrics.answered(result, queueMs);
        trace.answered(result);
      }
      metrics.ended('success');
      this.log.say({ k: 'e', v: told });
    } catch (error) {
      const failure = toFailure(error);
      code = failure.code;
      trace.failed(code);
      metrics.ended(outcomeOf(toApiError(error), code === 'ABORTED'));
      if (!TroupeError.is(error)) state.log.error({ err: error }, 'request of a gateway failed');
      this.log.say({ k: 'x', v: failure });
    } finally {
      this.#ended = true;
      clearTimeout(timer);
      trace.end();
      state.closed(this);
      const durationMs = Math.round(performance.now() - startedAt);
      const { attempt, gateway } = submit;
      state.log.info({ attempt, gateway, model: submit.model, durationMs, code }, 'fleet request');
    }
  }

  async #answered(timeoutMs: number): Promise<Answered> {
    const { state, model, budget, submit } = this.#parts;
    const { signal } = this.#abort;
    signal.throwIfAborted();
    const bytes = bytesOf(submit);
    const reservation = await budget.reserve(bytes, signal);
    try {
      const { chat, images } = await this.#chat(bytes);
      const queuedAt = performance.now();
      const place = await model.queue.enter(`fleet ${submit.gateway}`, signal);
      try {
        const lease = await state.models.lease(model, signal);
        try {
          const queueMs = performance.now() - queuedAt;
          return { ...(await this.#done(lease.engine, { ...chat, signal, timeoutMs })), queueMs };
        } finally {
          lease.release();
        }
      } finally {
        place.release();
        // Now, and not with the next collection, which looks at other memory.
        for (const { buffer } of images) if (!buffer.detached) buffer.transfer(0);
      }
    } finally {
      reservation.release();
      state.models.ended(model);
    }
  }

  async #done(engine: ServedEngine, options: ChatOptions): Promise<Done> {
    const { task, pieces } = this.#parts.submit;
    switch (task) {
      case 'answer':
      case 'stream': {
        const stream = engine.stream(options);
        for await (const delta of stream) {
          this.#isPromptRun = true;
          if (task === 'stream') this.log.say({ k: 'd', v: delta });
        }
        const result = await stream.result;
        return { result, told: told(result) };
      }
      case 'tokenize': {
        const tokenized = await engine.tokenize(options, pieces);
        return { result: undefined, told: { ids: [...tokenized.ids], pieces: tokenized.pieces } };
      }
      case 'detokenize': {
        const { prompt, signal } = options;
        const tokens = prompt !== undefined && 'tokens' in prompt ? prompt.tokens : [];
        return { result: undefined, told: { text: await engine.detokenize(tokens, signal) } };
      }
      default:
        return task satisfies never;
    }
  }

  /** The request with its images, each in memory of its own, which can be handed to another thread. */
  async #chat(bytes: number): Promise<OpenedRequest> {
    const { connection, subjects, submit, inline } = this.#parts;
    if (submit.inline && inline.length !== bytes) throw badMessage('has not what it says behind its head');
    const { attempt, gateway, images, chatBytes } = submit;
    const behind = submit.inline
      ? inline
      : await fetchPieces(connection, subjects.piece(gateway), { attempt, bytes }, this.#abort.signal);
    let at = 0;
    const own = images.map((size) => {
      at += size;
      return new Uint8Array(behind.subarray(at - size, at));
    });
    const chat = chatBytes > 0 ? decodeJson(behind.subarray(at), chatSchema) : submit.chat;
    if (chat === undefined) throw badMessage('brings no request');
    return { chat: unpackChat(chat, own), images: own };
  }
}

/** The first of its choices is not said twice, and the stages' times are on a clock of this process. */
function told({ choices, usage, timings, mode, bytesBetweenActors }: ChatResult): object {
  return { choices, usage, timings, mode, bytesBetweenActors };
}

/** Until the deadline, ms, by whichever clock it comes first. */
export function leftOf({ leftMs, deadlineAt }: Submit): number {
  return Math.min(leftMs, deadlineAt - Date.now());
}

/** Of all that follows the head. */
export function bytesOf({ images, chatBytes }: Submit): number {
  return images.reduce((sum, size) => sum + size, chatBytes);
}

export function deadlineExceeded(timeoutMs: number): TroupeError {
  return new TroupeError(`the request was not answered within ${Math.max(0, Math.round(timeoutMs))} ms`, {
    code: 'DEADLINE_EXCEEDED',
    retrySafe: true,
  });
}
