/** A request's trace goes through the gateway to the node. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { after, before, describe, it } from 'node:test';
import { type Context, context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { HELLO, post } from '../server/support/server.ts';
import { type Fleet, startFleet, until } from './support/fleet.ts';
import { NO_NATS } from './support/nats-server.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

const exporter = new InMemorySpanExporter();
const storage = new AsyncLocalStorage<Context>();
/** As those of OpenTelemetry's SDK for Node, which is not among our packages. */
const manager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: <A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    own: Context,
    work: F,
    self?: unknown,
    ...args: A
  ) => storage.run(own, () => work.apply(self, args)),
  bind: <T>(_: Context, target: T) => target,
  enable: () => manager,
  disable: () => manager,
};

describe('traces of a fleet', { skip: NO_NATS }, () => {
  let fleet: Fleet;

  before(async () => {
    context.setGlobalContextManager(manager);
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    fleet = await startFleet({ nodes: 1 });
  });
  after(async () => {
    await fleet[Symbol.asyncDispose]();
    for (const api of [context, propagation, trace]) api.disable();
  });

  it("puts the node's span under the gateway's, and that under the client's", async () => {
    const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
    assert.equal((await post(fleet.gateway, HELLO, { headers })).status, 200);
    const chats = () => exporter.getFinishedSpans().filter(({ name }) => name === 'chat pilot');
    await until(() => chats().length === 2);
    const spans = exporter.getFinishedSpans();
    assert(spans.every((span) => span.spanContext().traceId === TRACE));
    const gateway = chats().find((span) => span.parentSpanContext?.spanId === 'b7ad6b7169203331');
    const node = chats().find((span) => span !== gateway);
    assert.equal(node?.parentSpanContext?.spanId, gateway?.spanContext().spanId);
    const stages = spans.filter((span) => span.parentSpanContext?.spanId === node?.spanContext().spanId);
    assert(stages.some(({ name }) => name === 'prefill'));
  });

  it('counts its nodes for Prometheus', async () => {
    const text = await (await fetch(`${fleet.gateway.url}/metrics`)).text();
    assert.match(text, /troupe_fleet_nodes\{state="up"\} 1\n/);
    assert.match(text, /troupe_fleet_node_requests\{node="n0-[0-9a-f]{8}"\} 0\n/);
    assert.match(text, /troupe_actor_up\{actor="n0-[0-9a-f]{8}\/aggregated\/0",model_name="pilot"\} 1\n/);
  });
});
