/** A gateway before two nodes answers as one of them would, whatever happens to the other. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { serve, type TroupeServer } from '../../src/server/serve.ts';
import type { StartProgress } from '../../src/start-options.ts';
import {
  askAbout,
  assertRefused,
  ENDLESS,
  eventsOf,
  HELLO,
  post,
  startEndless,
} from '../server/support/server.ts';
import { golden, goldenImage } from '../support/golden.ts';
import { counted, type Fleet, gatewayNodes, SILENT, startFleet, until } from './support/fleet.ts';
import { NO_NATS } from './support/nats-server.ts';

/** Two of these and no more fit into a message. */
const MOST_BYTES = 64 * 1024;

async function textOf(server: TroupeServer, body: object): Promise<string> {
  const response = await post(server, body);
  const said = JSON.parse(await response.text());
  assert.equal(response.status, 200, JSON.stringify(said));
  return said.choices[0].message.content;
}

function streamedText(stream: string): string {
  return eventsOf(stream)
    .map((event) => JSON.parse(JSON.stringify(event)).choices?.[0]?.delta?.content ?? '')
    .join('');
}

function postTo(server: TroupeServer, path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function told(
  server: TroupeServer,
  path: string,
  body: object,
): Promise<ReturnType<typeof JSON.parse>> {
  const response = await postTo(server, path, body);
  const said = await response.text();
  assert.equal(response.status, 200, said);
  return JSON.parse(said);
}

/** Ids of calls are random. */
const withoutIds = (json: string) => JSON.parse(json.replace(/"id":"call_[^"]*"/g, '"id":"call"'));

async function choicesOf(server: TroupeServer, body: object): Promise<unknown> {
  const { choices } = await told(server, '/v1/chat/completions', body);
  return withoutIds(JSON.stringify(choices));
}

/** What is said to each choice, put together: how it is cut is nobody's promise. */
async function deltasOf(server: TroupeServer, body: object): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const event of eventsOf(await (await post(server, body)).text())) {
    for (const { index, delta, logprobs } of JSON.parse(JSON.stringify(event)).choices ?? []) {
      const calls = (delta.tool_calls ?? []).map(
        (call: { function: { name?: string; arguments: string } }) =>
          `${call.function.name ?? ''}${call.function.arguments}`,
      );
      const tokens = (logprobs?.content ?? []).map((one: object) => JSON.stringify(one));
      for (const [kind, text] of Object.entries({
        text: delta.content ?? '',
        calls: calls.join(''),
        tokens: tokens.join(''),
      })) {
        said[`${index} ${kind}`] = (said[`${index} ${kind}`] ?? '') + text;
      }
    }
  }
  return said;
}

/** Which node has requests. */
async function busy(fleet: Fleet): Promise<TroupeServer> {
  let found: TroupeServer | undefined;
  await until(() => {
    found = fleet.nodes.find((node) => node.engine.health().requestsInFlight > 0);
    return found !== undefined;
  });
  assert(found);
  return found;
}

const TOOL = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } } as const;
const LONG = { ...ENDLESS, max_tokens: 400, stream: true } as const;

describe('a gateway', { skip: NO_NATS }, () => {
  let fleet: Fleet;
  let expected = '';

  before(async () => {
    fleet = await startFleet({ natsConfig: `max_payload: ${MOST_BYTES}` });
    const [node] = fleet.nodes;
    assert(node);
    expected = await textOf(node, { ...LONG, stream: false });
  });
  after(() => fleet[Symbol.asyncDispose]());

  it('gives the answers of its nodes, whole and streamed', async () => {
    for (const index of [0, 3, 9]) {
      const { greedy } = golden(index);
      const body = { messages: askAbout(index) };
      assert.equal(await textOf(fleet.gateway, body), greedy);
      const stream = await (await post(fleet.gateway, { ...body, stream: true })).text();
      assert.equal(streamedText(stream), greedy);
    }
  });

  it('answers with several choices, logprobs, a schema and tools as its nodes do', async () => {
    const [node] = fleet.nodes;
    assert(node);
    const messages = askAbout(0);
    const schema = { type: 'object', properties: { a: { enum: ['x', 'y'] } }, required: ['a'] };
    const tool = { type: 'function', function: { name: 'look', parameters: schema } };
    for (const more of [
      { n: 3, temperature: 1, seed: 4, max_tokens: 8 },
      { logprobs: true, top_logprobs: 2, max_tokens: 8 },
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } },
      { tools: [tool], tool_choice: 'required' },
    ]) {
      const whole = { messages, ...more };
      const expected = await choicesOf(node, whole);
      assert.deepEqual(await choicesOf(fleet.gateway, whole), expected);
      const streamed = { ...whole, stream: true };
      assert.deepEqual(await deltasOf(fleet.gateway, streamed), await deltasOf(node, streamed));
    }
  });

  it('answers in the way of the other APIs', async () => {
    const [node] = fleet.nodes;
    assert(node);
    const asked = { model: 'pilot', max_tokens: 6, temperature: 0 };
    for (const [path, body, text] of [
      ['/v1/completions', { ...asked, prompt: 'A picture of' }, (said) => said.choices[0].text],
      ['/v1/messages', { ...asked, messages: HELLO.messages }, (said) => said.content[0].text],
      ['/v1/responses', { model: 'pilot', input: 'What is it?' }, (said) => said.output[0].content[0].text],
    ] satisfies [string, object, (said: ReturnType<typeof JSON.parse>) => string][]) {
      const expected: string = text(await told(node, path, body));
      assert.notEqual(expected, '', path);
      assert.equal(text(await told(fleet.gateway, path, body)), expected, path);
    }
  });

  for (const [path, body] of [
    ['/tokenize', { model: 'pilot', prompt: 'Hello', return_token_strs: true }],
    ['/tokenize', { model: 'pilot', messages: askAbout(0) }],
    ['/detokenize', { model: 'pilot', tokens: [5, 6] }],
    ['/v1/messages/count_tokens', { model: 'pilot', messages: HELLO.messages }],
  ] as const) {
    it(`asks a node for ${path}`, async () => {
      const [node] = fleet.nodes;
      assert(node);
      assert.deepEqual(await told(fleet.gateway, path, body), await told(node, path, body));
    });
  }

  it('sends a picture that is larger than a message in pieces', async () => {
    const one = golden(0);
    const picture = Buffer.concat([readFileSync(goldenImage(one)), Buffer.alloc(20 * MOST_BYTES)]);
    const image_url = { url: `data:image/png;base64,${picture.toString('base64')}` };
    const content = [
      { type: 'image_url', image_url },
      { type: 'text', text: one.question },
    ];
    assert.equal(await textOf(fleet.gateway, { messages: [{ role: 'user', content }] }), one.greedy);
  });

  it('refuses what its nodes refuse, naming the field of the client', async () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
    ];
    const response = await post(fleet.gateway, { messages: [{ role: 'user', content }] });
    const { param } = await assertRefused(response, 400, 'image_format_unsupported');
    assert.equal(param, 'messages[0].content[1].image_url.url');
  });

  it('shows all nodes and their actors', async () => {
    const health = JSON.parse(await (await fetch(`${fleet.gateway.url}/health`)).text());
    assert.equal(health.status, 'ready');
    assert.equal(health.nodes.length, 2);
    assert.equal(gatewayNodes(fleet.gateway).length, 2);
  });

  it('has as many requests at its nodes as they take, or as few as it is told', async () => {
    const most = async (server: TroupeServer) =>
      JSON.parse(await (await fetch(`${server.url}/health`)).text()).requests.maxRunning;
    const options = { gateway: true, port: 0, drainMs: 0, logger: SILENT };
    const nats = { servers: [fleet.nats.url] };
    await using told = await serve({ ...options, nats, queue: { maxInFlight: 3 } });
    assert.equal(await most(told), 3);
    const [node] = fleet.nodes;
    assert(node);
    assert.equal(await most(fleet.gateway), 2 * (await most(node)));
  });

  it('lets a cancel stop the compute', async () => {
    const { leave } = await startEndless(fleet.gateway);
    const node = await busy(fleet);
    const before = await counted(node, 'cancelled');
    leave();
    await until(async () => (await counted(node, 'cancelled')) > before);
    await until(() => node.engine.health().requestsInFlight === 0);
  });

  it('lets an answer go on when NATS is started again', async () => {
    const stream = await post(fleet.gateway, LONG);
    await fleet.nats.restart();
    assert.equal(streamedText(await stream.text()), expected);
  });

  it('goes on with an answer on another node when its own is stopped', async () => {
    const stream = await post(fleet.gateway, LONG);
    const node = await busy(fleet);
    await node.close(0);
    assert.equal(streamedText(await stream.text()), expected);
    fleet.nodes.splice(fleet.nodes.indexOf(node), 1);
    await until(() => gatewayNodes(fleet.gateway).length === 1);
    await fleet.addNode();
    await until(() => gatewayNodes(fleet.gateway).length === 2);
  });

  it('fails an answer with tools and logprobs whose node is stopped after it began', async () => {
    const asked = { ...LONG, max_tokens: 1900, tools: [TOOL], logprobs: true, top_logprobs: 20 };
    const stream = await post(fleet.gateway, asked);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert(reader);
    let text = '';
    while (!text.includes('"content":"')) text += (await reader.read()).value ?? '';
    const node = await busy(fleet);
    await node.close(0);
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
    assert.match(text, /fleet_node_lost/);
    fleet.nodes.splice(fleet.nodes.indexOf(node), 1);
  });

  it('says so when there is no node, and serves again when there is', async () => {
    await Promise.all(fleet.nodes.splice(0).map((node) => node.close(0)));
    const health = await fetch(`${fleet.gateway.url}/health`);
    assert.equal(health.status, 503);
    // Asked when its model is loaded, and before it is a member: requests wait some seconds for that.
    let waiting: Promise<Response> | undefined;
    const onProgress = ({ phase }: StartProgress) => {
      if (phase === 'ready') waiting = post(fleet.gateway, HELLO);
    };
    await fleet.addNode({ onProgress });
    assert.equal((await waiting)?.status, 200);
  });
});
