import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Agent } from 'undici';
import { TRUSTED_IMAGES } from '../../../actors/image-policy.ts';
import { guardedConnector, type ResolveAll } from '../../../actors/processor/guarded-connector.ts';
import { parseHosts } from '../../../actors/processor/hosts-file.ts';
import { fetchImage } from '../../../actors/processor/image-fetch.ts';
import { fromDns } from '../../../actors/processor/name-lookup.ts';

const GUARDED = { ...TRUSTED_IMAGES, privateAddresses: false };

/**
 * A DNS server: `good.test` is 127.0.0.2, `inner.test` is 10.0.0.1, names that begin with `slow` are never answered, no
 * other name exists.
 */
async function dnsServer(t: TestContext): Promise<{ readonly server: string; readonly asked: string[] }> {
  const known: Readonly<Record<string, readonly number[]>> = {
    'good.test': [127, 0, 0, 2],
    'inner.test': [10, 0, 0, 1],
  };
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += length + 1;
    }
    const name = labels.join('.').toLowerCase();
    asked.push(name);
    if (name.startsWith('slow')) return;
    const address = query.readUInt16BE(at + 1) === 1 ? known[name] : undefined;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(name in known ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(address === undefined ? 0 : 1, 6);
    head.writeUInt32BE(0, 8);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...(address ?? [])]);
    const answer = address === undefined ? [] : [record];
    socket.send(Buffer.concat([head, query.subarray(12, at + 5), ...answer]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}

const ALL = { all: true } as const;

test('a name has the addresses that DNS says', async (t) => {
  const { server } = await dnsServer(t);
  assert.deepEqual(await fromDns('good.test', ALL, [server]), [{ address: '127.0.0.2', family: 4 }]);
});

test('a name that does not exist is said to be unknown', async (t) => {
  const { server } = await dnsServer(t);
  await assert.rejects(fromDns('none.test', ALL, [server]), { code: 'ENOTFOUND' });
});

test('names that nobody answers end in their own time, and keep no other waiting', async (t) => {
  const { server } = await dnsServer(t);
  const over = new Set<string>();
  const slow = Array.from({ length: 64 }, (_, index) => `slow${index}.test`).map((name) =>
    fromDns(name, ALL, [server]).finally(() => over.add(name)),
  );
  const ended = Promise.allSettled(slow);
  assert.equal((await fromDns('good.test', ALL, [server])).length, 1);
  assert.equal(over.size, 0, 'they were still being looked up');
  for (const result of await ended) {
    assert.ok(result.status === 'rejected' && result.reason.code === 'ETIMEOUT');
  }
});

test('a name of the inner network is refused in the words for one that does not exist', async (t) => {
  const { server } = await dnsServer(t);
  const resolve: ResolveAll = (hostname, options, callback) => {
    fromDns(hostname, options, [server]).then(
      (addresses) => callback(null, addresses),
      (error) => callback(error, []),
    );
  };
  const dispatcher = new Agent({ connect: guardedConnector({ timeoutMs: 5_000, resolve }) });
  const refusal = async (host: string): Promise<string> => {
    const fetched = fetchImage(`http://${host}/`, 'image', 100, { policy: GUARDED, dispatcher });
    const error: unknown = await fetched.catch((failed) => failed);
    assert.ok(error instanceof Error && 'code' in error && error.code === 'IMAGE_URL_REFUSED');
    return error.message.replace(host, 'HOST');
  };
  assert.equal(await refusal('inner.test'), await refusal('none.test'));
});

test('a hosts file is read with its comments, several names a line and both families', () => {
  const names = parseHosts(
    '# local\n127.0.0.1 localhost here # me\n::1\tLocalhost\nnonsense line\n\n10.0.0.7 db\r\n',
  );
  assert.deepEqual(names.get('localhost'), [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]);
  assert.deepEqual(names.get('here'), [{ address: '127.0.0.1', family: 4 }]);
  assert.deepEqual(names.get('db'), [{ address: '10.0.0.7', family: 4 }]);
  assert.equal(names.size, 3);
});
