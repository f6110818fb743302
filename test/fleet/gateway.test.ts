/** A gateway before two nodes answers as one of them would, whatever happens to the other. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { TroupeServer } from '../../src/server/serve.ts';
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
import { counted, type Fleet, gatewayNodes, startFleet, until } from './support/fleet.ts';
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

  it('says so when there is no node, and serves again when there is', async () => {
    await Promise.all(fleet.nodes.splice(0).map((node) => node.close(0)));
    const health = await fetch(`${fleet.gateway.url}/health`);
    assert.equal(health.status, 503);
    const waiting = post(fleet.gateway, HELLO);
    await fleet.addNode();
    assert.equal((await waiting).status, 200);
  });
});
