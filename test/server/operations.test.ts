import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { TroupeServer } from '../../src/server/serve.ts';
import { until } from '../fleet/support/fleet.ts';
import { golden } from '../support/golden.ts';
import { actorOf, notOfGateways } from './support/behind-gateway.ts';
import { askAbout, idle, post, startEndless, startServer } from './support/server.ts';

/** The samples of a scrape, by their line's text before the value. */
async function scrape(server: TroupeServer): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${server.url}/metrics`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [
        line
          .slice(0, at)
          // Nobody's, where it failed before its model was known and there may be others.
          .replace(/,?model_name="(?:pilot)?"/, '')
          .replace('{}', ''),
        Number(line.slice(at)),
      ];
    }),
  );
}

/** When it has these: a gateway hears once in a while what its nodes count. */
async function scrapeWith(
  server: TroupeServer,
  wanted: Readonly<Record<string, number>>,
): Promise<ReadonlyMap<string, number>> {
  let samples = await scrape(server);
  await until(async () => {
    samples = await scrape(server);
    return Object.entries(wanted).every(([name, value]) => samples.get(name) === value);
  });
  return samples;
}

describe('GET /metrics', () => {
  it('counts what a request took, in the names of the field', async () => {
    await using server = await startServer({ mode: 'disaggregated' });
    const one = golden(33);
    for (const stream of [false, true]) {
      assert.equal((await post(server, { messages: askAbout(33), stream })).status, 200);
    }
    await post(server, { messages: [] });
    await idle(server);
    const samples = await scrapeWith(server, { troupe_mm_cache_queries_total: 2 });
    for (const name of [
      'time_to_first_token_seconds',
      'time_per_output_token_seconds',
      'e2e_request_latency_seconds',
      'request_queue_time_seconds',
      'request_preprocess_time_seconds',
      'request_encode_time_seconds',
      'request_prefill_time_seconds',
      'request_prompt_tokens',
      'request_generation_tokens',
    ]) {
      assert.equal(samples.get(`troupe_${name}_count`), 2, name);
      assert(Number(samples.get(`troupe_${name}_sum`)) > 0, name);
    }
    assert.equal(samples.get('troupe_inter_token_latency_seconds_count'), one.tokenIds.length - 1);
    assert.equal(samples.get('troupe_tokens_total{kind="image"}'), 50);
    assert.equal(samples.get('troupe_tokens_total{kind="generation"}'), 2 * one.tokenIds.length);
    assert.equal(samples.get('troupe_request_success_total{finished_reason="stop"}'), 2);
    assert.equal(samples.get('troupe_requests_total{outcome="client_error"}'), 1);
    const pixels = 3 * 80 * 80 * 4;
    // The second request finds the image encoded.
    assert.equal(samples.get('troupe_bytes_between_actors_total{kind="pixels",how="moved"}'), pixels);
    assert(Number(samples.get('troupe_bytes_between_actors_total{kind="embeddings",how="moved"}')) > 0);
    assert.equal(samples.get('troupe_mm_cache_queries_total'), 2);
    assert.equal(samples.get('troupe_mm_cache_hits_total'), 1);
    assert(samples.has('nodejs_eventloop_lag_p99_seconds'));
  });

  it('shows what is running and who was restarted', async () => {
    await using server = await startServer({ queue: { maxInFlight: 1 } });
    const running = await startEndless(server);
    assert.equal((await scrape(server)).get('troupe_num_requests_running'), 1);
    running.leave();
    await idle(server);
    const { engine, shown } = actorOf(server, 'aggregated/0');
    const restarted = new Promise((resolve) => engine.events.once('actor:up', resolve));
    engine.crash('aggregated/0');
    await restarted;
    const samples = await scrapeWith(server, {
      [`troupe_actor_restarts_total{actor="${shown}"}`]: 1,
      [`troupe_actor_up{actor="${shown}"}`]: 1,
    });
    assert.equal(samples.get('troupe_num_requests_running'), 0);
    assert.equal(samples.get('troupe_num_requests_waiting'), 0);
  });
});

const ONE_ENGINE = notOfGateways('a gateway is ready while any of its nodes is');
const OWN_STAGES = notOfGateways("the stages of an answer are its node's: test/fleet/tracing.test.ts");

describe('GET /health', { skip: ONE_ENGINE }, () => {
  it('tells a server whose actor is down from one that is ready', async () => {
    await using server = await startServer();
    const health = async () => {
      const response = await fetch(`${server.url}/health`);
      return { code: response.status, ...JSON.parse(await response.text()) };
    };
    const ready = await health();
    assert.deepEqual([ready.code, ready.status], [200, 'ready']);
    assert.deepEqual(
      ready.actors.map(({ name, state }: { name: string; state: string }) => [name, state]),
      [
        ['aggregated/0', 'up'],
        ['processor/0', 'up'],
      ],
    );
    const down = new Promise((resolve) => server.engine.events.once('actor:down', resolve));
    const up = new Promise((resolve) => server.engine.events.once('actor:up', resolve));
    server.engine.crash('aggregated/0');
    await down;
    const degraded = await health();
    assert.deepEqual([degraded.code, degraded.status], [503, 'degraded']);
    await up;
    assert.equal((await health()).code, 200);
  });
});

describe('traces', { skip: OWN_STAGES }, () => {
  const exporter = new InMemorySpanExporter();
  let server: TroupeServer;

  before(async () => {
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    propagation.setGlobalPropagator({
      // The least of W3C trace context, which the API package leaves to an SDK.
      inject: () => undefined,
      fields: () => ['traceparent'],
      extract(parent, carrier, getter) {
        const [, traceId, spanId] = String(getter.get(carrier, 'traceparent') ?? '').split('-');
        if (traceId === undefined || spanId === undefined) return parent;
        return trace.setSpanContext(parent, { traceId, spanId, traceFlags: 1, isRemote: true });
      },
    });
    server = await startServer({ mode: 'disaggregated' });
  });
  after(async () => {
    await server.close();
    trace.disable();
    propagation.disable();
    context.disable();
  });

  const spansOf = async (body: object, headers = {}): Promise<[ReadableSpan, ReadableSpan[]]> => {
    exporter.reset();
    await (await post(server, body, { headers })).text();
    await idle(server);
    const spans = exporter.getFinishedSpans();
    const root = spans.find(({ name }) => name === 'chat pilot');
    assert(root !== undefined);
    return [root, spans.filter((span) => span !== root)];
  };

  it('have a span for each stage, in order, within that of the request', async () => {
    const [root, stages] = await spansOf({ messages: askAbout(33), stream: true });
    assert.deepEqual(
      stages.map(({ name, attributes }) => [name, attributes['troupe.actor']]),
      [
        ['preprocess', 'processor/0'],
        ['transfer', 'encoder/0'],
        ['encode', 'encoder/0'],
        ['transfer', 'pd/0'],
        ['prefill', 'pd/0'],
        ['decode', 'pd/0'],
      ],
    );
    for (const { parentSpanContext } of stages)
      assert.equal(parentSpanContext?.spanId, root.spanContext().spanId);
    const at = ([seconds, nanos]: readonly [number, number]) => seconds * 1e3 + nanos / 1e6;
    for (const [index, { startTime, endTime }] of stages.entries()) {
      assert(at(endTime) >= at(startTime));
      // Dates have whole milliseconds.
      const before = stages[index - 1];
      if (before !== undefined) assert(at(startTime) >= at(before.startTime) - 2);
    }
    assert.equal(root.attributes['gen_ai.usage.output_tokens'], golden(33).tokenIds.length);
    assert.equal(root.attributes['troupe.usage.image_tokens'], 25);
  });

  it("belong to the client's trace", async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const [root, stages] = await spansOf({ messages: askAbout(33) }, headers);
    assert.equal(root.spanContext().traceId, traceId);
    assert.equal(root.parentSpanContext?.spanId, 'b7ad6b7169203331');
    assert(stages.every((span) => span.spanContext().traceId === traceId));
  });

  it('say what a request failed with, and nothing of its contents', async () => {
    const [root, stages] = await spansOf({ messages: [{ role: 'user', content: 'marmalade' }], audio: {} });
    assert.deepEqual(stages, []);
    assert.equal(root.status.code, SpanStatusCode.ERROR);
    assert.equal(root.attributes['error.type'], 'unsupported_parameter');
    assert(!JSON.stringify(root.attributes).includes('marmalade'));
  });
});
