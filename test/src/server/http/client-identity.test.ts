import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiKeys } from '../../../../src/server/http/api-keys.ts';
import { addressOf } from '../../../../src/server/http/client-identity.ts';
import { ProxyList } from '../../../../src/server/http/proxy-list.ts';

describe('a client without a key', () => {
  for (const [ip, expected] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:db8:0:1::ffff', '2001:db8:0:1::/64'],
    ['2001:db8:0:2::1', '2001:db8:0:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['no address', 'unknown'],
    [undefined, 'unknown'],
  ] as const) {
    it(`at ${ip} is ${expected}`, () => {
      assert.equal(addressOf(ip), expected);
    });
  }
});

describe('a client with a key', () => {
  const keys = new ApiKeys(['first-key', 'second-key']);

  it('is the same however the header is written', () => {
    const known = keys.identify('Bearer first-key');
    assert.equal(typeof known, 'string');
    for (const header of ['bearer first-key', 'BEARER first-key', 'bEaReR    first-key']) {
      assert.equal(keys.identify(header), known);
    }
    assert.notEqual(keys.identify('Bearer second-key'), known);
  });

  it('is not known by anything else', () => {
    for (const header of [
      undefined,
      '',
      'first-key',
      'Bearer',
      'Bearer ',
      'Bearer first-key x',
      'Bearer first-keyx',
      'Bearer\tfirst-key',
      'Bearer first-key, Bearer second-key',
      'Basic first-key',
      'Bearer first-kéy',
    ]) {
      assert.equal(keys.identify(header), undefined, header);
    }
  });

  it('is not shown by its key', () => {
    assert(!keys.identify('Bearer first-key')?.includes('first'));
  });
});

describe('a list of proxies', () => {
  const proxies = new ProxyList(['10.0.0.0/8', '192.0.2.7', 'fd00::/8']);
  for (const [address, expected] of [
    ['10.9.8.7', true],
    ['::ffff:10.9.8.7', true],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['fd12::1', true],
    ['2001:db8::1', false],
    [undefined, false],
  ] as const) {
    it(`${expected ? 'has' : 'does not have'} ${address}`, () => {
      assert.equal(proxies.includes(address), expected);
    });
  }
});
