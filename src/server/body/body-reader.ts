/**
 * From the bytes of a request to what it asks for. What is small is parsed at once; what is large on a thread of its own,
 * since a body of some megabytes would hold up everyone whom the main thread answers. Clients take turns on it.
 */
import { Piscina } from 'piscina';
import { WorkerPool } from '../../../actors/worker-pool.ts';
import { moduleBeside } from '../../../runtime/module-beside.ts';
import type { DetailsOf, EndpointName } from '../endpoint/request-readers.ts';
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { FairQueue } from '../fair-queue.ts';
import type { ReceivedBody } from '../http/received-body.ts';
import type { LargeBody } from './body-worker.ts';
import { readChat } from './read-chat.ts';

/** Parsed at once: a fifth of a millisecond at the worst. Another thread costs about as much. */
const SMALL_BYTES = 4 * 1024;

/** As many as there may be connections; their bytes have a budget. */
const WAITING = 65_536;

const MIB = 1024 * 1024;
const YOUNG_GENERATION_MB = 24;
/** Beside bodies: the code, and the values of one. */
const OLD_GENERATION_MB = 64;
/** A body as text has up to two bytes a character, and so has the longest text in it; then they are garbage for a while. */
const BODIES_IN_HEAP = 5;

export interface BodyFacts extends Pick<RequestFacts, 'maxImages' | 'allowPull'> {
  readonly maxImageBytes: number;
}

export interface Reading {
  /** Whose turn it takes. */
  readonly client: string;
  /** Names of the models that are served. */
  readonly modelNames: readonly string[];
  /** Of the longest context, tokens. */
  readonly contextLength: number;
  readonly signal: AbortSignal;
}

export class BodyReader {
  readonly #facts: BodyFacts;
  readonly #turns = new FairQueue({ places: 1, waiting: WAITING });
  readonly #thread: WorkerPool;

  /**
   * @param module the worker's, for tests of one that cannot begin
   * @throws TroupeError `BUNDLED`
   */
  constructor(
    { maxBodyBytes, ...facts }: BodyFacts & { readonly maxBodyBytes: number },
    module = moduleBeside(import.meta.url, './body-worker').href,
  ) {
    this.#facts = facts;
    const resourceLimits = {
      maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
      maxOldGenerationSizeMb: OLD_GENERATION_MB + BODIES_IN_HEAP * Math.ceil(maxBodyBytes / MIB),
    };
    const threads = { filename: module, minThreads: 1, maxThreads: 1, recordTiming: false, resourceLimits };
    this.#thread = new WorkerPool(() => new Piscina(threads), 'reads large bodies');
  }

  /**
   * @throws ApiError 400 or 404 naming the field; InputError; the signal's reason when it aborts before its turn;
   *   TroupeError `BUNDLED` or `THREAD_FAILED` when no thread can read it
   */
  async read<Name extends EndpointName>(
    endpoint: Name,
    body: ReceivedBody,
    { client, modelNames, contextLength, signal }: Reading,
  ): Promise<ServedChat<DetailsOf<Name>>> {
    const { maxImageBytes, ...common } = this.#facts;
    const facts = { ...common, modelNames };
    if (body.size <= SMALL_BYTES) return readChat(endpoint, Buffer.concat(body.take()), facts);
    const turn = await this.#turns.enter(client, signal);
    try {
      const chunks = body.take();
      const task: LargeBody = { endpoint, chunks, facts, maxImageBytes, contextLength };
      const transferList = chunks.map(({ buffer }) => buffer);
      // Without the signal, which would end the thread. A body that is read takes moments.
      return await this.#thread.run<ServedChat<DetailsOf<Name>>>('readLarge', task, { transferList });
    } finally {
      turn.release();
    }
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}
