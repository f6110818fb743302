/** One request to a model: through the queue, into the engine, out to the client; and the books that are kept of it. */
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { freeImages } from '../../../actors/processor/free-images.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import type { ChatResult } from '../../chat-types.ts';
import type { ModelLease } from '../../models/model-rooms.ts';
import type { ServedEngine } from '../../served-engine.ts';
import type { AnswerFormat, AnswerHead } from '../endpoint/answer-format.ts';
import type { DetailsOf, EndpointName } from '../endpoint/request-readers.ts';
import type { ServedChat } from '../endpoint/served-chat.ts';
import type { Place } from '../fair-queue.ts';
import type { ReceivedBody } from '../http/received-body.ts';
import { RequestRecord } from '../observe/request-record.ts';
import { RequestTrace } from '../observe/tracing.ts';
import type { ApiError } from '../openai/api-error.ts';
import { toApiError } from '../openai/to-api-error.ts';
import type { ServerState } from '../server-state.ts';
import { outcomeOf } from './outcome.ts';
import type { FetchedChat } from './remote-images.ts';
import { RequestLifetime } from './request-lifetime.ts';
import { requestTimeout } from './request-timeout.ts';
import { streamAnswer } from './stream-answer.ts';

export interface ChatCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly body: ReceivedBody;
}

/** What is asked, and how it is answered. */
export interface Endpoint<Name extends EndpointName> {
  readonly name: Name;
  readonly format: AnswerFormat<DetailsOf<Name>>;
}

/** Has the model answer. */
export async function answerChat<Name extends EndpointName>(
  state: ServerState,
  call: ChatCall,
  { name, format }: Endpoint<Name>,
): Promise<void> {
  const { reply } = call;
  const work: Work<Name> = (engine, asked, lifetime) =>
    answerFrom(engine, asked, { state, reply, lifetime, format });
  await serveRequest(state, call, { name, failure: format.failure, work });
}

/** Answers a request. @returns what the model said, if it was asked */
export type Work<Name extends EndpointName> = (
  engine: ServedEngine,
  asked: ServedChat<DetailsOf<Name>>,
  lifetime: RequestLifetime,
) => Promise<ChatResult | undefined>;

export interface Served<Name extends EndpointName> {
  readonly name: Name;
  failure(error: ApiError): object;
  readonly work: Work<Name>;
}

/** One request of any kind, with the books that are kept of it. */
export async function serveRequest<Name extends EndpointName>(
  state: ServerState,
  call: ChatCall,
  endpoint: Served<Name>,
): Promise<void> {
  const { request, reply } = call;
  const { config, metrics, log } = state;
  const startedAt = performance.now();
  const record = new RequestRecord(endpoint.name, config.log.contents);
  const trace = new RequestTrace(state.models.first.config.name, request.headers);
  const lifetime = new RequestLifetime(reply.raw, requestTimeout(request, config.resolved.requestTimeoutMs));
  state.opened(lifetime);
  let status = 200;
  // Until it is known which it asks for, it is the only one's, or nobody's.
  let modelMetrics = metrics.of(state.models.only?.config.name ?? '');
  const onAsked = (asked: ServedChat) => {
    record.asked(asked);
    trace.asked(asked.model);
    modelMetrics = metrics.of(asked.model);
  };
  try {
    const { result, queueMs } = await trace.within(() =>
      run(state, call, endpoint, lifetime, { record, onAsked }),
    );
    if (result !== undefined) {
      record.answered(result);
      modelMetrics.answered(result, queueMs);
      trace.answered(result);
    }
    modelMetrics.ended('success');
  } catch (error) {
    const failure = toApiError(error);
    const { code } = failure.facts;
    status = lifetime.clientGone ? 499 : failure.facts.status;
    record.failed(code);
    trace.failed(code);
    modelMetrics.ended(outcomeOf(failure, lifetime.clientGone));
    if (status === 500) log.error({ err: failure.cause, requestId: request.id }, 'request failed');
    if (!reply.raw.headersSent && !lifetime.clientGone) {
      reply.code(failure.facts.status).headers(failure.headers).send(endpoint.failure(failure));
    }
  } finally {
    lifetime.end();
    trace.end();
    const durationMs = Math.round((performance.now() - startedAt) * 100) / 100;
    log.info({ requestId: request.id, client: request.client, status, durationMs, ...record.fields }, 'chat');
    closeWhenSent(state, reply, lifetime);
  }
}

interface Answered {
  readonly result: ChatResult | undefined;
  readonly queueMs: number;
}

interface Books {
  readonly record: RequestRecord;
  onAsked(asked: ServedChat): void;
}

async function run<Name extends EndpointName>(
  state: ServerState,
  { request, body }: ChatCall,
  { name, work }: Served<Name>,
  lifetime: RequestLifetime,
  { record, onAsked }: Books,
): Promise<Answered> {
  const { models } = state;
  const { client } = request;
  if (body.refusal !== undefined) throw body.refusal;
  state.assertOpen();
  // Before a body is read and images are fetched for nothing.
  if (models.all.every(({ queue }) => queue.isFullFor(client))) throw queueFull();
  const { names, longestContext: contextLength } = models;
  const { signal } = lifetime;
  const asked = await state.bodies.read(name, body, { client, modelNames: names, contextLength, signal });
  onAsked(asked);
  const model = models.named(asked.model);
  let fetched: FetchedChat | undefined;
  let place: Place | undefined;
  let lease: ModelLease<ServedEngine> | undefined;
  try {
    if (model.queue.isFullFor(client)) throw queueFull();
    fetched = await state.images.fetch(asked.chat, client, signal);
    const queuedAt = performance.now();
    place = await model.queue.enter(client, signal);
    lease = await models.lease(model, signal);
    const queueMs = performance.now() - queuedAt;
    record.queued(queueMs);
    const { chat } = fetched;
    const result = await work(lease.engine, { ...asked, chat }, lifetime);
    return { result, queueMs };
  } catch (error) {
    throw toApiError(error, asked.clientFields);
  } finally {
    // The engine is done with it, whatever the client still has to take.
    lease?.release();
    place?.release();
    fetched?.release();
    freeImages(asked.chat);
    models.ended(model);
  }
}

function queueFull(): TroupeError {
  return new TroupeError('the queue is full', { code: 'QUEUE_FULL', retrySafe: true });
}

interface Answering<Details> {
  readonly state: ServerState;
  readonly reply: FastifyReply;
  readonly lifetime: RequestLifetime;
  readonly format: AnswerFormat<Details>;
}

async function answerFrom<Details>(
  engine: ServedEngine,
  { chat, model, stream: streaming, details }: ServedChat<Details>,
  { state, reply, lifetime, format }: Answering<Details>,
): Promise<ChatResult> {
  const { signal, leftMs: timeoutMs } = lifetime;
  const head: AnswerHead = {
    id: `${format.idPrefix}${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model,
  };
  const options = { ...chat, signal, timeoutMs };
  if (streaming) {
    const writer = format.stream(head, details);
    return await streamAnswer(engine.stream(options), { state, reply, model, writer });
  }
  const result = await engine.chat(options);
  reply.send(format.whole(head, result, details));
  return result;
}

/** A drain waits until the client has its answer, or has left. */
function closeWhenSent(state: ServerState, { raw }: FastifyReply, lifetime: RequestLifetime): void {
  const closed = () => state.closed(lifetime);
  if (raw.writableFinished || raw.destroyed) closed();
  else raw.once('close', closed);
}
