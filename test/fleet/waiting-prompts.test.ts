import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { decodeJson, encodeToNode } from '../../src/fleet/wire/codec.ts';
import { announcementSchema } from '../../src/fleet/wire/messages.ts';
import { serve } from '../../src/server/serve.ts';
import { idle, startEndless } from '../server/support/server.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';
import { SILENT } from './support/fleet.ts';
import { NO_NATS, startNats } from './support/nats-server.ts';

it('a node says how many tokens of prompts wait there', { skip: NO_NATS }, async () => {
  await using server = await startNats();
  const nats = { servers: [server.url], node: 'n' };
  await using node = await serve({
    ...{ model: PILOT_MODEL, modelName: 'pilot', port: 0, drainMs: 0, logger: SILENT, nats },
    queue: { maxInFlight: 1 },
  });
  const gateway = await connect({ servers: server.url });
  const announced = gateway.subscribe('troupe.announce')[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await announced.next();
    assert(done !== true);
    return decodeJson(value.data, announcementSchema);
  };
  const until = async (waitingTokens: number) => {
    for (;;) if ((await next()).models[0]?.waitingTokens === waitingTokens) return;
  };
  const { node: name } = await next();
  const running = await startEndless(node);
  const attempt = randomUUID();
  const submit = encodeToNode({
    ...{
      kind: 'submit',
      attempt,
      gateway: 'g',
      model: 'pilot',
      task: 'answer',
      promptTokens: 1234,
      trace: {},
    },
    ...{ deadlineAt: Date.now() + 60_000, leftMs: 60_000, keys: [], chatBytes: 0, images: [], inline: true },
    chat: { messages: [{ role: 'user', content: 'Hello' }] },
  });
  await gateway.request(`troupe.node.${name}`, submit, { timeout: 10_000 });
  await until(1234);
  running.leave();
  await until(0);
  await idle(node);
  await gateway.close();
});
