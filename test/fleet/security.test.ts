/** How a fleet is closed to others: users with permissions, NKeys, TLS. Also: a member of a NATS cluster that goes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, nkeys } from '@nats-io/transport-node';
import { serve } from '../../src/server/serve.ts';
import { ENDLESS, eventsOf, HELLO, post } from '../server/support/server.ts';
import { SILENT, startFleet } from './support/fleet.ts';
import { freePort, NO_NATS, startNats } from './support/nats-server.ts';

const DEPLOYED = readFileSync(new URL('../../deploy/nats.conf', import.meta.url), 'utf8')
  .replace('$NATS_NODE_PASSWORD', '"node-secret"')
  .replace('$NATS_GATEWAY_PASSWORD', '"gateway-secret"');

function as(url: string, user: string): string {
  return url.replace('://', `://${user}@`);
}

describe('a closed fleet', { skip: NO_NATS }, () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-fleet-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('works with the users and permissions of deploy/nats.conf, and takes nothing from others', async () => {
    await using fleet = await startFleet({
      natsConfig: DEPLOYED,
      nodes: 1,
      users: { node: 'node:node-secret', gateway: 'gateway:gateway-secret' },
    });
    assert.equal((await post(fleet.gateway, HELLO)).status, 200);
    await assert.rejects(connect({ servers: fleet.nats.url, reconnect: false }), /[Aa]uthorization/);
    // A gateway may not pass for a node.
    const gateway = await connect({ servers: fleet.nats.url, user: 'gateway', pass: 'gateway-secret' });
    const refused = (async () => {
      for await (const status of gateway.status()) if (status.type === 'error') return String(status.error);
      return '';
    })();
    gateway.publish('troupe.announce', new TextEncoder().encode('{}'));
    assert.match(await refused, /[Pp]ermissions/);
    await gateway.close();
  });

  it('is not joined with a wrong password, and says so', async () => {
    await using nats = await startNats(DEPLOYED);
    const options = {
      gateway: true,
      port: 0,
      logger: SILENT,
      nats: { servers: [as(nats.url, 'node:wrong')] },
    };
    await assert.rejects(serve(options), { code: 'FLEET_UNREACHABLE' });
  });

  it('works with NKeys over TLS, and not without the certificate', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ]);
    const user = nkeys.createUser();
    const seed = join(folder, 'user.nk');
    await writeFile(
      seed,
      `-----BEGIN USER NKEY SEED-----\n${new TextDecoder().decode(user.getSeed())}\n------END\n`,
    );
    const natsConfig = `
      tls: { cert_file: "${cert}", key_file: "${key}" }
      authorization: { users: [{ nkey: ${user.getPublicKey()} }] }`;
    const secure = { nkeyFile: seed, caFile: cert };
    await using fleet = await startFleet({
      ...{ natsConfig, nodes: 1, host: 'localhost' },
      node: { nats: secure },
      gateway: { nats: secure },
    });
    assert.equal((await post(fleet.gateway, HELLO)).status, 200);
    const without = {
      gateway: true,
      port: 0,
      logger: SILENT,
      nats: { servers: [fleet.nats.url.replace('127.0.0.1', 'localhost')], nkeyFile: seed },
    };
    await assert.rejects(serve(without), { code: 'FLEET_UNREACHABLE' });
  });
});

describe('a cluster of three NATS servers', { skip: NO_NATS }, () => {
  it('may lose the one that everybody is connected to: answers in flight go on', async () => {
    const ports = await Promise.all(Array.from({ length: 6 }, freePort));
    const [routes, clients] = [ports.slice(0, 3), ports.slice(3)];
    const config = (i: number) => `
      server_name: n${i}
      cluster: { name: fleet, listen: "127.0.0.1:${routes[i]}", routes: [${routes.map((port) => `"nats://127.0.0.1:${port}"`)}] }`;
    await using first = await startNats(config(0), clients[0]);
    await using second = await startNats(config(1), clients[1]);
    await using third = await startNats(config(2), clients[2]);
    await using fleet = await startFleet({ nats: first, nodes: 2 });
    const body = { ...ENDLESS, max_tokens: 400, stream: true };
    const [node] = fleet.nodes;
    assert(node);
    const expected = await (await post(node, body)).text();
    const streams = await Promise.all([1, 2, 3].map(() => post(fleet.gateway, body)));
    await first.kill();
    const textOf = (stream: string) =>
      eventsOf(stream)
        .map((event) => JSON.parse(JSON.stringify(event)).choices[0]?.delta.content ?? '')
        .join('');
    for (const stream of streams) assert.equal(textOf(await stream.text()), textOf(expected));
    assert.equal((await post(fleet.gateway, HELLO)).status, 200);
    for (const one of [second, third]) assert.equal(one.process.exitCode, null);
    await fleet.gateway.close();
  });
});
