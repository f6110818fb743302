/** What becomes of what an actor has told when its thread ends, and the refs with it: the test is the group and the other actors. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { diedError } from '../../../runtime/errors.ts';
import { FakePool, heard } from '../support/fake-pool.ts';

describe('a ref of a thread that ends', () => {
  let pool: FakePool;
  beforeEach(() => {
    pool = new FakePool('least-loaded', 2, 2);
  });
  afterEach(() => pool.end());

  const lost = () => pool.letters.recent.map(({ method, error }) => [method, error?.message]);
  const end = (actor: string) => pool.environment.die(actor, diedError(actor, new Error('a drill')));

  it('counts as dead letters what it had told the actor of that thread, and not what others have got', async () => {
    const [mine] = [pool.up(0), pool.up(1)];
    await heard();
    for (const member of ['pool/0', 'pool/1']) {
      pool.ref.tell('note', 1, { member });
      pool.ref.tell('noteAny', 2, { member });
    }
    mine.read();
    mine.begin(1);
    end('pool/0');
    assert.deepEqual(lost(), [
      ['note', 'pool/0 died: a drill, before it answered note'],
      ['noteAny', 'pool/0 died: a drill, before it began noteAny'],
    ]);
  });

  it('counts as dead letters what came back of another one that died, and waits', async () => {
    pool.up(0);
    await heard();
    pool.ref.tell('note', 1);
    pool.down(0);
    await heard();
    assert.equal(pool.ref.outboxSize, 1);
    end('other/0');
    assert.deepEqual(lost(), [['note', 'other/0 died: a drill']]);
  });

  it('counts nothing when its pool was over before', async () => {
    pool.up(0);
    pool.over();
    await heard();
    end('pool/0');
    assert.deepEqual(lost(), []);
  });
});
