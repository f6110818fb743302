/**
 * OpenTelemetry traces, through the API package alone: without an SDK that the host program registers, all of this does
 * nothing. The spans of the stages are made afterwards, from the times that a result carries.
 */
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { processNow } from '../../../runtime/clock.ts';
import type { ChatResult } from '../../chat-types.ts';

const TRACER = 'troupe';

/** One request's span. Attributes are those of OpenTelemetry's conventions for generative AI. */
export class RequestTrace {
  readonly #span: Span;

  /** @param headers of the request, whose `traceparent` makes the span part of the client's trace */
  constructor(modelName: string, headers: Readonly<Record<string, unknown>>) {
    const parent = propagation.extract(context.active(), headers);
    const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': modelName };
    const options = { kind: SpanKind.SERVER, attributes };
    this.#span = trace.getTracer(TRACER).startSpan(`chat ${modelName}`, options, parent);
  }

  /** What is called in it is part of the span, also in another process: where the SDK has a context manager. */
  within<T>(work: () => T): T {
    return context.with(trace.setSpan(context.active(), this.#span), work);
  }

  /** The model that is to answer, once the request has been read. */
  asked(modelName: string): void {
    this.#span.updateName(`chat ${modelName}`);
    this.#span.setAttribute('gen_ai.request.model', modelName);
  }

  answered({ usage, finishReason, stages }: ChatResult): void {
    this.#span.setAttributes({
      'gen_ai.usage.input_tokens': usage.promptTokens,
      'gen_ai.usage.output_tokens': usage.completionTokens,
      'gen_ai.response.finish_reasons': [finishReason],
      'troupe.usage.image_tokens': usage.imageTokens,
    });
    const parent = trace.setSpan(context.active(), this.#span);
    for (const { stage, actor, startedAt, endedAt } of stages) {
      const options = { startTime: wallClock(startedAt), attributes: { 'troupe.actor': actor } };
      trace.getTracer(TRACER).startSpan(stage, options, parent).end(wallClock(endedAt));
    }
  }

  failed(code: string): void {
    this.#span.setAttribute('error.type', code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  }

  end(): void {
    this.#span.end();
  }
}

/** A reading of the process clock as a date, which is what traces are in. */
function wallClock(at: number): Date {
  return new Date(Date.now() + at - processNow());
}
