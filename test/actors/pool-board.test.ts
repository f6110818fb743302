import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prefixKeys } from '../../actors/pd/prefix-cache/prefix-keys.ts';
import { PoolBoard } from '../../actors/pool-board.ts';
import { poolMember } from '../../actors/pool-member.ts';
import { PrefixRouter } from '../../actors/route-by-prefix.ts';

/** No token of the prompts here. */
const IMAGE_TOKEN = 9_999;
const prompt = (tokens: number, last = 0) =>
  Int32Array.from({ length: tokens }, (_, i) => (i < 64 ? i : i + last));
const boardMemory = (members: number) => PoolBoard.create(members, (bytes) => new SharedArrayBuffer(bytes));
const keysOf = (promptIds: Int32Array) => prefixKeys(promptIds, IMAGE_TOKEN, []);

describe('a pool’s board', () => {
  it('knows how much of a prompt’s beginning each member has', () => {
    const memory = boardMemory(3);
    const [one, other] = [new PoolBoard(memory), new PoolBoard(memory)];
    const keys = keysOf(prompt(160));
    for (const key of keys.slice(0, 4)) one.keep(1, key);
    for (const key of keys) one.keep(2, key);
    assert.deepEqual(other.heldTokens(keys), [0, 64, 160]);
    assert.deepEqual(other.heldTokens(keysOf(prompt(160, 7))), [0, 64, 64]);
  });

  it('counts no block whose beginning a member has lost', () => {
    const board = new PoolBoard(boardMemory(40));
    const keys = keysOf(prompt(96));
    for (const key of keys) board.keep(39, key);
    board.drop(39, keys[2] ?? '');
    assert.equal(board.heldTokens(keys)[39], 32);
  });

  it('forgets what an earlier incarnation of a member had', () => {
    const board = new PoolBoard(boardMemory(2));
    const keys = keysOf(prompt(32));
    for (const member of [0, 1]) for (const key of keys) board.keep(member, key);
    board.note(1, 'answers', 3);
    board.enter(1);
    assert.deepEqual(board.heldTokens(keys), [32, 0]);
    assert.equal(board.isAlone(0), true);
  });

  it('says whether others work, on answers or on pictures', () => {
    const board = new PoolBoard(boardMemory(2));
    board.note(0, 'answers', 2);
    assert.deepEqual([board.isAlone(0), board.isAlone(1)], [true, false]);
    board.note(1, 'pictures', 1);
    assert.equal(board.isAlone(0), false);
  });
});

describe('a member of a pool', () => {
  it('has more threads when it is the first and alone', () => {
    const board = boardMemory(2);
    const first = poolMember({ board, threadsAlone: 4 }, 'pd/0');
    const second = poolMember({ board, threadsAlone: 4 }, 'pd/1');
    assert.equal(second.wide, undefined);
    assert.deepEqual([first.wide?.threads, first.wide?.isNow()], [4, true]);
    second.note('answers', 1);
    assert.equal(first.wide?.isNow(), false);
  });
});

describe('where a prompt goes', () => {
  const promptIds = prompt(512);
  const preferenceAmong = (held: readonly number[]) => {
    const memory = boardMemory(held.length);
    const board = new PoolBoard(memory);
    const keys = keysOf(promptIds);
    for (const [member, tokens] of held.entries())
      for (const key of keys.slice(0, tokens / 16)) board.keep(member, key);
    return new PrefixRouter(memory, IMAGE_TOKEN).preferenceFor({ promptIds, images: [] });
  };

  it('to the actor that has most of it, up to a request for 256 tokens more than others have', () => {
    const prefer = preferenceAmong([0, 512, 256]);
    assert.deepEqual([prefer?.('pd/1'), prefer?.('pd/2')], [2, 1]);
  });

  it('to the first, of those that have nothing, and to one that has a block before it', () => {
    const prefer = preferenceAmong([0, 0, 16]);
    const [first = 0, second = 0, third = 0] = [0, 1, 2].map((member) => prefer?.(`pd/${member}`));
    assert.ok(first > second && third > first);
  });

  it('is not asked where there is one actor', () => {
    assert.equal(
      new PrefixRouter(undefined, IMAGE_TOKEN).preferenceFor({ promptIds, images: [] }),
      undefined,
    );
  });
});
