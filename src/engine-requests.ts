/** The requests of one engine: begins them, knows which go on, and tells what becomes of them. */
import { randomUUID } from 'node:crypto';
import { InputError } from '../actors/errors.ts';
import type { ToolStyle } from '../actors/tools/tool-style.ts';
import type { TroupeError } from '../runtime/errors.ts';
import type { Events } from '../runtime/util/events.ts';
import { after } from '../runtime/util/timers.ts';
import { ChatRun } from './chat-run.ts';
import type { ChatOptions, ChatStream } from './chat-types.ts';
import type { ResolvedConfig } from './config/resolve-config.ts';
import { runGeneration } from './generation-run.ts';
import type { Pipeline } from './pipeline.ts';
import type { AnySchema } from './schema/any-schema.ts';
import type { ObjectOptions } from './schema/object-result.ts';
import { submittedChat } from './submitted-chat.ts';
import { Suspects } from './suspects.ts';
import type { TroupeEvents } from './troupe-events.ts';

export class EngineRequests {
  readonly #config: ResolvedConfig;
  readonly #pipeline: Pipeline;
  readonly #toolStyle: ToolStyle;
  readonly #events: Events<TroupeEvents>;
  readonly #runs = new Set<ChatRun>();
  readonly #suspects: Suspects;

  /** @param events where their starts, retries and ends are told */
  constructor(
    config: ResolvedConfig,
    pipeline: Pipeline,
    toolStyle: ToolStyle,
    events: Events<TroupeEvents>,
  ) {
    this.#config = config;
    this.#pipeline = pipeline;
    this.#toolStyle = toolStyle;
    this.#events = events;
    const { system } = pipeline;
    const suspects = new Suspects((actor) => system.forgive(actor));
    system.events.on('actor:quarantined', ({ actor }) => suspects.actorLeft(actor));
    system.events.on('actor:down', ({ actor, error }) => {
      if (error !== undefined) suspects.actorDied(actor);
    });
    system.events.on('actor:hung', ({ work }) => suspects.actorHung(work));
    this.#suspects = suspects;
  }

  /** How many go on. */
  get size(): number {
    return this.#runs.size;
  }

  /** Begins one. @throws InputError for what can be seen at once to be wrong */
  submit(request: ChatOptions | ObjectOptions<AnySchema>, wantsStream: boolean): ChatStream {
    const chat = submittedChat(request, this.#toolStyle);
    const requestId = randomUUID();
    const options = {
      entry: this.#pipeline.entry,
      requestId,
      mode: this.#config.mode,
      wantsStream,
      timeoutMs: checkedTimeout(request.timeoutMs) ?? this.#config.requestTimeoutMs,
      retries: this.#config.retries,
      limits: this.#config.limits,
      suspects: this.#suspects,
      onRetry: (attempt: number, error: TroupeError) =>
        this.#events.emit('request:retry', { requestId, attempt, error }),
    };
    const run = new ChatRun((own) => runGeneration(chat, { ...options, ...own }), request.signal);
    this.#track(run, requestId);
    return run;
  }

  /** Ends all that go on. */
  abort(error: Error): void {
    for (const run of this.#runs) run.abort(error);
  }

  /** Resolves when those that go on now have ended, or so many ms have passed. */
  async drained(mostMs: number): Promise<void> {
    const settled = Promise.allSettled([...this.#runs].map((run) => run.result));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = after(mostMs, resolve);
    await Promise.race([settled, promise]);
    clearTimeout(timer);
  }

  #track(run: ChatRun, requestId: string): void {
    this.#runs.add(run);
    this.#events.emit('request:start', { requestId });
    run.result.then(
      (result) => this.#ended(run, { requestId, result }),
      (error: unknown) => this.#ended(run, { requestId, error }),
    );
  }

  #ended(run: ChatRun, event: TroupeEvents['request:end'][0]): void {
    this.#runs.delete(run);
    if (event.result !== undefined) this.#suspects.answered();
    this.#events.emit('request:end', event);
  }
}

function checkedTimeout(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined || (Number.isFinite(timeoutMs) && timeoutMs > 0)) return timeoutMs;
  throw new InputError('INVALID_OPTION', 'is no time', {
    field: 'timeoutMs',
    value: String(timeoutMs),
    remedy: 'Give milliseconds, above 0',
  });
}
