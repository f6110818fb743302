/** A node that is killed, or hangs, in the middle of an answer: another goes on with it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VIA_GATEWAY } from '../server/support/behind-gateway.ts';
import { ENDLESS, eventsOf, post } from '../server/support/server.ts';
import { type ServerProcess, startNodeProcess } from '../server/support/server-process.ts';
import { type Fleet, gatewayNodes, startFleet, until } from './support/fleet.ts';
import { NO_NATS } from './support/nats-server.ts';

/** Greedy but for penalties, so that there is something to lose in the state of the sampler. */
const GREEDY = { ...ENDLESS, max_tokens: 700, stream: true } as const;
const SEEDED = { ...GREEDY, temperature: 0.7, seed: 5 } as const;

function textOf(stream: string): string {
  return eventsOf(stream)
    .map((event) => JSON.parse(JSON.stringify(event)).choices?.[0]?.delta?.content ?? '')
    .join('');
}

describe('a gateway whose node is lost', { skip: NO_NATS }, () => {
  let fleet: Fleet;
  let doomed: ServerProcess | undefined;

  before(async () => {
    fleet = await startFleet({ nodes: 1 });
  });
  after(async () => {
    doomed?.child.kill('SIGKILL');
    await fleet[Symbol.asyncDispose]();
  });

  const slow = !VIA_GATEWAY && 'six seconds of silence: npm run test:fleet';
  for (const [how, signal, body, skip] of [
    ['killed with -9', 'SIGKILL', GREEDY, false],
    ['hung', 'SIGSTOP', SEEDED, slow],
  ] as const) {
    it(`goes on elsewhere with an answer whose node is ${how}`, { skip }, async () => {
      const [node] = fleet.nodes;
      assert(node);
      const expected = textOf(await (await post(node, body)).text());
      const args = ['--nats', fleet.nats.url, '--node-name', 'doomed'];
      doomed = await startNodeProcess(args, 60_000);
      await until(() => gatewayNodes(fleet.gateway).length === 2);
      // Several, so that both nodes have some.
      const streams = await Promise.all(Array.from({ length: 6 }, () => post(fleet.gateway, body)));
      doomed.child.kill(signal);
      const texts = await Promise.all(streams.map(async (stream) => textOf(await stream.text())));
      for (const text of texts) assert.equal(text, expected);
      assert.equal(fleet.gateway.engine.health().requestsInFlight, 0);
      doomed.child.kill('SIGKILL');
      await until(() => gatewayNodes(fleet.gateway).length === 1);
    });
  }
});
