import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EmbeddingCache } from '../../../actors/encoder/embedding-cache.ts';

/** A value that is counted by hand, as embeddings in shared memory are. */
class Counted {
  readonly bytes: number;
  references = 1;
  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

function countedCache(maxBytes: number): EmbeddingCache<Counted> {
  return new EmbeddingCache<Counted>({
    maxBytes,
    bytesOf: ({ bytes }) => bytes,
    retain: (value) => {
      assert.ok(value.references > 0, 'retained after its last reference was dropped');
      value.references += 1;
    },
    dispose: (value) => {
      value.references -= 1;
    },
  });
}

const encode = (bytes: number) => async () => new Counted(bytes);
const never = async (): Promise<Counted> => assert.fail('encoded although it was known');

describe('the embedding cache', () => {
  it('answers a known hash without an encode', async () => {
    const cache = countedCache(100);
    const first = await cache.get('a', encode(10));
    assert.equal(await cache.get('a', never), first);
    assert.equal(first.references, 3, 'the cache and two callers');
    assert.deepEqual(cache.stats(), { hits: 1, misses: 1, entries: 1, bytes: 10 });
  });

  it('is bounded in bytes and drops the least recently used first', async () => {
    const cache = countedCache(30);
    const a = await cache.get('a', encode(10));
    const b = await cache.get('b', encode(10));
    await cache.get('a', never);
    await cache.get('c', encode(20));
    assert.equal(cache.has('b'), false);
    assert.equal(cache.has('a'), true);
    assert.equal(b.references, 1, 'its caller still has it');
    assert.equal(a.references, 3);
    assert.equal(cache.stats().bytes, 30);
  });

  it('hands out a value that is too large, and does not keep it', async () => {
    const cache = countedCache(30);
    const large = await cache.get('large', encode(31));
    assert.equal(large.references, 1);
    assert.equal(cache.has('large'), false);
  });

  it('with no room at all still joins concurrent requests', async () => {
    const cache = countedCache(0);
    const [first, second] = await Promise.all([cache.get('a', encode(10)), cache.get('a', never)]);
    assert.equal(first, second);
    assert.equal(first.references, 2);
    assert.deepEqual(cache.stats(), { hits: 1, misses: 1, entries: 0, bytes: 0 });
  });

  it('encodes once for concurrent requests of one hash', async () => {
    const cache = countedCache(100);
    const gate = Promise.withResolvers<Counted>();
    let encodes = 0;
    const slow = () => {
      encodes += 1;
      return gate.promise;
    };
    const requests = [cache.get('a', slow), cache.get('a', slow), cache.get('a', slow)];
    gate.resolve(new Counted(10));
    const [value] = await Promise.all(requests);
    assert.equal(encodes, 1);
    assert.equal(value?.references, 4);
  });

  it('a failed encode fails its own request; those who joined it encode for themselves, once', async () => {
    const cache = countedCache(100);
    const gate = Promise.withResolvers<Counted>();
    const own = cache.get('a', () => gate.promise);
    let retries = 0;
    const retry = async () => {
      retries += 1;
      return new Counted(10);
    };
    const joined = [cache.get('a', retry), cache.get('a', retry)];
    gate.reject(new Error('cancelled'));
    await assert.rejects(own, /cancelled/);
    const [first, second] = await Promise.all(joined);
    assert.equal(first, second);
    assert.equal(retries, 1);
  });

  it('when every encode fails, every request fails and none hangs', async () => {
    const cache = countedCache(100);
    const failing = async (): Promise<Counted> => {
      throw new Error('no memory');
    };
    const results = await Promise.allSettled([1, 2, 3].map(() => cache.get('a', failing)));
    assert.ok(results.every(({ status }) => status === 'rejected'));
    assert.equal((await cache.get('a', encode(10))).bytes, 10, 'the next request tries again');
  });

  it('an encode that throws at once is a failed encode', async () => {
    const cache = countedCache(100);
    const throwing = (): Promise<Counted> => {
      throw new Error('bad pixels');
    };
    await assert.rejects(cache.get('a', throwing), /bad pixels/);
    assert.equal((await cache.get('a', encode(10))).bytes, 10);
  });

  it('clearing drops the cache’s references and reports the bytes', async () => {
    const cache = countedCache(100);
    const value = await cache.get('a', encode(10));
    assert.equal(cache.clear(), 10);
    assert.equal(value.references, 1);
    assert.equal(cache.has('a'), false);
  });
});
