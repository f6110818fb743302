/** Whatever comes over the wire: it is dropped, refused or answered, and everybody goes on. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { encodeJson, encodeToNode } from '../../src/fleet/wire/codec.ts';
import type { ToNode } from '../../src/fleet/wire/messages.ts';
import { HELLO, post } from '../server/support/server.ts';
import { type Fleet, gatewayNodes, startFleet, until } from './support/fleet.ts';
import { NO_NATS } from './support/nats-server.ts';

const SUBMIT = {
  ...{
    kind: 'submit',
    attempt: 'a'.repeat(36),
    gateway: 'nobody',
    model: 'pilot',
    task: 'stream',
    promptTokens: 0,
  },
  trace: {},
  ...{ deadlineAt: Date.now() + 60_000, leftMs: 60_000, keys: [], chatBytes: 0, images: [], inline: true },
  chat: { messages: [{ role: 'user', content: 'Hello' }] },
} as const;

describe('messages that no member of the fleet would send', { skip: NO_NATS }, () => {
  let fleet: Fleet;
  let nats: NatsConnection;
  let subject = '';

  before(async () => {
    fleet = await startFleet({ nodes: 1 });
    nats = await connect({ servers: fleet.nats.url });
    subject = `troupe.node.${gatewayNodes(fleet.gateway)[0]}`;
  });
  after(async () => {
    await nats.close();
    await fleet[Symbol.asyncDispose]();
  });

  const serves = async () => assert.equal((await post(fleet.gateway, HELLO)).status, 200);

  for (const [what, data] of Object.entries({
    nothing: new Uint8Array(),
    noise: new Uint8Array(300).fill(255),
    'a head that is longer than the message': new Uint8Array([255, 255, 255, 255, 1]),
    'another kind': encodeToNode({ kind: 'shutdown' } as unknown as ToNode),
    'a field more': encodeToNode({ ...SUBMIT, admin: true } as unknown as ToNode),
    'a size below nothing': encodeToNode({ ...SUBMIT, images: [-1] } as unknown as ToNode),
    'a subject for a name': encodeToNode({ ...SUBMIT, gateway: 'a.>' } as unknown as ToNode),
  })) {
    it(`drops ${what} that comes to a node, and serves on`, async () => {
      nats.publish(subject, data);
      nats.publish('troupe.announce', data);
      for (const { actors: _ } of [fleet.gateway.engine.health()]) nats.publish('troupe.hello', data);
      await nats.flush();
      await serves();
    });
  }

  const refused = async (submit: object, bytes: readonly Uint8Array[] = []) => {
    const attempt = randomUUID();
    const frames: string[] = [];
    const subscription = nats.subscribe('troupe.gateway.nobody', {
      callback: (_, message) => void frames.push(message.string()),
    });
    const { data } = await nats.request(
      subject,
      encodeToNode({ ...SUBMIT, ...submit, attempt } as unknown as ToNode, bytes),
    );
    const reply = new TextDecoder().decode(data);
    if (JSON.parse(reply).ok === true) await until(() => frames.join('').includes('"k":"x"'));
    subscription.unsubscribe();
    return reply + frames.join('');
  };

  for (const [what, submit, code] of [
    ['more bytes than a node takes', { images: [2 ** 40], inline: false }, 'QUEUE_FULL'],
    ['a model that it does not have', { model: 'other' }, 'FLEET_NO_NODE'],
    ['other images than it says', { images: [3] }, 'FLEET_MESSAGE_INVALID'],
    ['a deadline that is over', { deadlineAt: Date.now() - 1_000 }, 'DEADLINE_EXCEEDED'],
    [
      'an address in place of an image',
      { chat: { messages: [{ role: 'user', content: [{ type: 'image', image: 'http://127.0.0.1/' }] }] } },
      'FLEET_MESSAGE_INVALID',
    ],
    ['messages of another shape', { chat: { messages: [{ role: 'root', content: 7 }] } }, 'INVALID_ROLE'],
    [
      'a field that the engine does not have',
      { chat: { messages: [], file: '/etc/passwd' } },
      'UNKNOWN_FIELD',
    ],
    ['images that nobody sends', { images: [4_096], inline: false }, 'FLEET_UNREACHABLE'],
  ] as const) {
    it(`refuses a request with ${what}`, async () => {
      const said = await refused(submit);
      assert(said.includes(`"code":"${code}"`), said);
      await serves();
    });
  }

  it('drops frames for a gateway that nobody there waits for', async () => {
    const gateways = nats.subscribe('troupe.node.>');
    const gateway = await (async () => {
      for await (const { data } of gateways) {
        const [id] = /gateway-[0-9a-f]{8}/.exec(new TextDecoder().decode(data)) ?? [];
        if (id !== undefined) return id;
      }
      return '';
    })();
    for (const frames of [[{ a: randomUUID(), s: 0, k: 'e', v: {} }], [{ a: 1 }], 'x', []]) {
      nats.publish(`troupe.gateway.${gateway}`, encodeJson(frames));
      nats.publish(`troupe.piece.${gateway}`, encodeJson(frames));
    }
    await nats.flush();
    await serves();
  });
});
