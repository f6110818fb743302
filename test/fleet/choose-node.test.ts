import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseNode } from '../../src/fleet/gateway/choose-node.ts';
import { SentText } from '../../src/fleet/gateway/sent-text.ts';
import { requestKeys } from '../../src/fleet/request-keys.ts';

/** A request a place weighs as much as two keys, and a token that waits half as much as one that is held. */
const WEIGHTS = { tokensPerLoad: 1_000, waitingWeight: 0.5 };

function node(id: string, load: number, waitingTokens = 0) {
  return { id, load, waitingTokens, places: 10 };
}

function choose(nodes: ReturnType<typeof node>[], held: Record<string, string[]>, randoms: number[]) {
  const work = Object.keys(held).map((key) => ({ key, tokens: 500 }));
  const holders = (key: string) => nodes.filter(({ id }) => held[key]?.includes(id));
  return chooseNode({ nodes, work, holders, random: () => randoms.shift() ?? 0 }, WEIGHTS);
}

describe('the choice of a node', () => {
  it('takes the less loaded of two where nothing is held', () => {
    const nodes = [node('a', 5), node('b', 2), node('c', 0)];
    assert.equal(choose(nodes, {}, [0, 0.4]).node.id, 'b');
  });

  it('takes the one that holds the work while what that saves outweighs its load', () => {
    const idle = [node('a', 4), node('b', 0)];
    assert.equal(choose(idle, { i: ['a'] }, [0.9, 0.9]).node.id, 'a');
    const busy = [node('a', 6), node('b', 0)];
    assert.equal(choose(busy, { i: ['a'] }, [0.9, 0.9]).node.id, 'b');
  });

  it('looks at two that differ', () => {
    const nodes = [node('a', 0), node('b', 5)];
    for (const randoms of [
      [0, 0],
      [0, 0.99],
      [0.99, 0],
      [0.99, 0.99],
    ]) {
      assert.equal(choose(nodes, {}, randoms).node.id, 'a');
    }
    assert.equal(choose([node('a', 9)], {}, [0.5, 0.5]).node.id, 'a');
  });

  it('weighs the prompts that wait there, which may be long where requests are few', () => {
    const few = [node('a', 1, 20_000), node('b', 9)];
    assert.equal(choose(few, {}, [0, 0.9]).node.id, 'b');
    assert.equal(choose(few, { i: ['a'] }, [0, 0.9]).node.id, 'b');
    assert.equal(choose([node('a', 0, 400), node('b', 0)], { i: ['a'] }, [0, 0.9]).node.id, 'a');
  });
});

describe('keys of requests', () => {
  const picture = new Uint8Array(200_000).fill(7);
  const turn = (text: string) => ({
    role: 'user' as const,
    content: [
      { type: 'image' as const, image: 0 },
      { type: 'text' as const, text },
    ],
  });
  const keysOf = (model: string, ...messages: Parameters<typeof requestKeys>[1][number][]) =>
    requestKeys(model, messages, [picture]).map(({ key }) => key);

  it('are the same for the same picture in other questions', () => {
    const [first] = keysOf('m', turn('What is this?'));
    const [second] = keysOf('m', turn('And where?'));
    assert.equal(first, second);
  });

  it('are shared by the beginnings of a conversation, and by no other', () => {
    const question = turn('What is in this picture? Say it in a few words, please, and nothing else.');
    const before = keysOf('m', question);
    const after = keysOf('m', question, { role: 'assistant', content: 'A cat.' });
    assert.deepEqual(after.slice(0, before.length), before);
    assert.notDeepEqual(keysOf('other', question).at(-1), before.at(-1));
  });
});

describe('the text that was sent', () => {
  it('is taken off an answer that begins anew, however it is cut', () => {
    const sent = new SentText(true);
    sent.take({ text: 'Hello w', tokenIds: [1, 2] }, 'a');
    sent.restart();
    assert.equal(sent.take({ text: 'Hel', tokenIds: [1] }, 'b'), undefined);
    assert.deepEqual(sent.take({ text: 'lo world', tokenIds: [2, 3] }, 'b'), { text: 'orld', tokenIds: [3] });
    const choice = { index: 0, text: 'Hello world', finishReason: 'stop', tokenIds: [1, 2, 3] } as const;
    sent.compare([choice], 'b');
    assert.throws(() => sent.compare([{ ...choice, text: 'Hello' }], 'b'), { code: 'FLEET_ANSWER_DIVERGED' });
    assert.deepEqual(sent.tokenIds, [1, 2, 3]);
  });

  it('cannot be continued once it began where tokens are not all of it', () => {
    const sent = new SentText(false);
    assert(sent.canMove);
    const delta = { text: 'Hello', tokenIds: [1], index: 1 };
    assert.equal(sent.take(delta, 'a'), delta);
    assert(!sent.canMove);
  });

  it('ends an answer that goes another way', () => {
    const sent = new SentText(true);
    sent.take({ text: 'Hello', tokenIds: [1, 2] }, 'a');
    sent.restart();
    assert.throws(() => sent.take({ text: 'Help', tokenIds: [1] }, 'b'), { code: 'FLEET_ANSWER_DIVERGED' });
  });
});
