/**
 * The PD actor's own logic, without the actor around it: requests into the engine, its steps on the actor's
 * loop, its answers into streams. The PD actor and the aggregated actor are both made of it.
 */
import type { ActorContext } from '../../runtime/actor/actor-context.ts';
import type { StepLoop } from '../../runtime/actor/step-loop.ts';
import { processNow } from '../../runtime/clock.ts';
import type { StreamWriter } from '../../runtime/stream/stream-writer.ts';
import type { GenerationSummary, RequestEnvelope, TokenChunk } from '../generation.ts';
import type { GpuMemory } from '../inference/gpu/gpu-memory.ts';
import type { GpuStats } from '../inference/gpu/gpu-stats.ts';
import type { PoolMember } from '../pool-member.ts';
import type { PdEngine } from './engine/engine.ts';
import { IdleTrim } from './engine/idle-trim.ts';
import type { PdStats } from './engine/pd-stats.ts';
import type { EngineRequest } from './engine-request.ts';
import type { GenerationSink } from './requests/generation-sink.ts';

/** Rows that so long no answer has needed are given back under load too. */
const SETTLE_MS = 1_000;

export type AnswerWriter = StreamWriter<TokenChunk, GenerationSummary>;

export class LanguageStage {
  readonly #engine: PdEngine;
  readonly #maxRunning: number;
  readonly #context: ActorContext;
  readonly #loop: StepLoop;
  readonly #gpu: GpuMemory | undefined;
  readonly #idle: IdleTrim;
  readonly #member: Pick<PoolMember, 'note'> | undefined;

  /**
   * @param gpu where the engine runs on one: when it is lost, the actor ends, to be started anew
   * @param member who hears of how much is in work
   */
  constructor(
    engine: PdEngine,
    maxRunning: number,
    context: ActorContext,
    gpu?: GpuMemory,
    member?: Pick<PoolMember, 'note'>,
  ) {
    this.#engine = engine;
    this.#member = member;
    this.#gpu = gpu;
    this.#maxRunning = maxRunning;
    this.#context = context;
    this.#idle = new IdleTrim(() => engine.trimIdle());
    let settledAt = processNow();
    this.#loop = context.loop(async () => {
      await engine.step();
      if (gpu?.lost !== undefined) throw gpu.lost;
      if (processNow() - settledAt >= SETTLE_MS) {
        engine.settle();
        settledAt = processNow();
      }
      this.#reportLoad();
      // Buffers of a GPU stay: it has no other use for their memory, and making them anew costs.
      if (!engine.hasWork && gpu === undefined) this.#idle.idle();
      return engine.hasWork;
    });
  }

  /**
   * Resolves when there is room for one more request; `submit` must follow in the same turn. Rejects when the
   * actor is stopping or the caller has gone.
   */
  async room({ sampling }: Pick<RequestEnvelope, 'sampling'>, signal: AbortSignal): Promise<void> {
    await this.#engine.roomToSubmit(sampling.n, AbortSignal.any([signal, this.#context.stopping]));
  }

  submit(request: EngineRequest, writer: AnswerWriter): void {
    this.#idle.busy();
    this.#engine.submit(request, sinkOf(writer));
    this.#reportLoad();
    this.#loop.wake();
  }

  /** Whether answers are being made. */
  get hasAnswers(): boolean {
    return this.#engine.answering > 0;
  }

  /** Whether there are prompts on their way to their first token. */
  get hasPrompts(): boolean {
    return this.#engine.prompting > 0;
  }

  /** Makes the loop look at the GPU, when somebody else's run may have lost it. */
  wake(): void {
    this.#loop.wake();
  }

  stats(): PdStats & { readonly gpu?: GpuStats } {
    const gpu = this.#gpu === undefined ? {} : { gpu: this.#gpu.stats() };
    return { ...this.#engine.stats(), ...gpu };
  }

  /** Drops KV memory that no running sequence needs; resolves to its bytes. */
  clear(): Promise<number> {
    return this.#engine.clearCaches();
  }

  async release(): Promise<void> {
    this.#idle.busy();
    await this.#engine.dispose();
  }

  #reportLoad(): void {
    const { admitted, waiting } = this.#engine.load;
    this.#member?.note('answers', admitted + waiting);
    const freeSlots = this.#maxRunning - admitted;
    this.#context.reportLoad({ running: admitted + waiting, freeSlots });
  }
}

function sinkOf(writer: AnswerWriter): GenerationSink {
  return {
    emit: (chunk) => writer.write(chunk),
    finish: (summary) => writer.end(summary),
    fail: (error) => writer.fail(error),
    get cancelled() {
      return writer.signal.aborted;
    },
    onReady: (callback) => writer.onReady(callback),
  };
}
