import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TroupeError } from '../../runtime/errors.ts';
import type { Errand, GatewayLink } from '../../src/fleet/gateway/gateway-link.ts';
import { NodeTable } from '../../src/fleet/gateway/node-table.ts';
import { ANSWER, type RemoteTask, tokenizing } from '../../src/fleet/gateway/remote-tasks.ts';
import { runRemotely } from '../../src/fleet/gateway/run-remotely.ts';
import { PatientClock } from '../../src/fleet/patient-clock.ts';
import { type Announcement, PROTOCOL } from '../../src/fleet/wire/messages.ts';
import { serverConfig } from '../../src/server/server-config.ts';

function said(node: string, waitingTokens = 0): Announcement {
  const load = { running: 0, waiting: 0, waitingTokens, places: 8, ready: true, actors: [] };
  const models = [{ name: 'm', mode: 'aggregated' as const, ...load }];
  return { protocol: PROTOCOL, node, draining: false, gone: false, clock: Date.now(), models };
}

function tableOf(...announcements: readonly Announcement[]): NodeTable {
  const table = new NodeTable(new PatientClock(() => true));
  for (const one of announcements) table.heard(one);
  return table;
}

/** Asks nodes that refuse everything by this code. */
async function ask(
  nodes: NodeTable,
  code: string,
  handed: Errand<unknown>[] = [],
  task: RemoteTask<unknown> = ANSWER,
): Promise<void> {
  const link = {
    connection: { ready: () => Promise.resolve() },
    nodes,
    hand: (_node: unknown, errand: Errand<unknown>) => {
      handed.push(errand);
      return Promise.reject(new TroupeError('no', { code, retrySafe: true }));
    },
    // All that a run touches of it where no node takes the request.
  } as unknown as GatewayLink;
  const chat = { messages: [{ role: 'user' as const, content: 'x'.repeat(4000) }] };
  const images = { policy: serverConfig().resolved.images, maxBytes: 0 };
  const run = runRemotely(chat, {
    ...{ link, model: 'm', task, timeoutMs: 1000, trace: {}, images },
    signal: new AbortController().signal,
    onMove: () => undefined,
  });
  await run.next();
}

describe('a request that no node takes', () => {
  it('is told that there is no node where each is about to stop: its gateway is not', async () => {
    for (const code of ['SERVER_DRAINING', 'SERVER_STARTING'])
      await assert.rejects(ask(tableOf(said('a'), said('b')), code), { code: 'FLEET_NO_NODE' });
  });

  it('is told that all are full', async () => {
    const handed: Errand<unknown>[] = [];
    await assert.rejects(ask(tableOf(said('a'), said('b')), 'QUEUE_FULL', handed), { code: 'QUEUE_FULL' });
    assert.equal(handed.length, 2);
  });

  it('has told each how long its prompt is', async () => {
    const handed: Errand<unknown>[] = [];
    await assert.rejects(ask(tableOf(said('a')), 'QUEUE_FULL', handed));
    await assert.rejects(ask(tableOf(said('a')), 'QUEUE_FULL', handed, tokenizing(undefined)));
    // To tell its tokens, a node runs nothing, and holds nothing afterwards.
    assert.deepEqual(
      handed.map(({ promptTokens, work }) => [promptTokens, work.length]),
      [
        [1000, 1],
        [0, 0],
      ],
    );
  });
});

describe('the prompts that wait at a node', () => {
  const chosen = (table: NodeTable) => table.choose('m', [], new Set())?.node.id;

  it('count by its word', () => {
    assert.equal(chosen(tableOf(said('a', 5000), said('b'))), 'b');
    assert.equal(chosen(tableOf(said('a'), said('b', 5000))), 'a');
  });

  it('count from when they are sent until they are run', () => {
    const table = tableOf(said('a', 100), said('b'));
    const [, b] = table.all;
    assert(b !== undefined);
    const sent = table.sent(b, 'm', [], 5000);
    table.ended(b, 'm');
    assert.equal(chosen(table), 'a');
    table.promptRun(sent);
    assert.equal(chosen(table), 'b');
  });

  it('are not taken off twice when the node has spoken since', () => {
    const table = tableOf(said('a', 100), said('b'));
    const [, b] = table.all;
    assert(b !== undefined);
    const sent = table.sent(b, 'm', [], 5000);
    table.heard(said('b', 200));
    table.promptRun(sent);
    assert.equal(chosen(table), 'a');
  });
});
