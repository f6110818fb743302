import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LOST_MS, SILENT_MS } from '../../src/fleet/fleet-times.ts';
import { RemoteAttempt } from '../../src/fleet/gateway/remote-attempt.ts';
import { type RemoteResult, STREAM } from '../../src/fleet/gateway/remote-tasks.ts';
import { FrameLog } from '../../src/fleet/node/frame-log.ts';
import type { Outbox } from '../../src/fleet/node/outbox.ts';
import { frameSchema } from '../../src/fleet/wire/messages.ts';

const ID = '0f9c3c1e-0000';
const NOTHING = { moved: 0, copied: 0 };
const RESULT = {
  choices: [{ index: 0, text: 'ab', tokenIds: [1, 1], finishReason: 'stop' }],
  usage: { promptTokens: 1, imageTokens: 0, cachedTokens: 0, completionTokens: 2 },
  timings: {
    ...{ queueMs: 0, preprocessMs: 0, encodeMs: 0, prefillMs: 0 },
    ...{ timeToFirstTokenMs: 0, interTokenMs: 0, totalMs: 0 },
  },
  mode: 'aggregated',
  bytesBetweenActors: { pixels: NOTHING, embeddings: NOTHING },
};

/** A node's log and a gateway's attempt, and the wire between them in the test's hands. */
function wired(answers: readonly ('known' | 'unknown' | 'late')[] = []) {
  const wire: string[] = [];
  const outbox = { push: (_: string, frame: string) => wire.push(frame) };
  const log = new FrameLog(ID, 'gateway', outbox as unknown as Outbox);
  const asked: number[] = [];
  const left = [...answers];
  let now = 0;
  const attempt = new RemoteAttempt(ID, 'node', [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5])], {
    readResult: STREAM.readResult,
    onBegun: () => undefined,
    resume: (from) => {
      asked.push(from);
      return Promise.resolve(left.shift() ?? 'known');
    },
    now: () => now,
  });
  const deliver = (frame: string | undefined) => attempt.take(frameSchema.parse(JSON.parse(frame ?? '')));
  const pass = (ms: number) => {
    now += ms;
    attempt.check();
  };
  return { wire, log, attempt, asked, deliver, pass };
}

async function textOf(attempt: RemoteAttempt<RemoteResult>): Promise<string> {
  let text = '';
  for await (const delta of attempt.deltas()) text += delta.text;
  return text;
}

function say({ log }: ReturnType<typeof wired>, ...texts: readonly string[]): void {
  for (const text of texts) log.say({ k: 'd', v: { text, tokenIds: [1] } });
  log.say({ k: 'e', v: RESULT });
}

describe('an attempt on a node', () => {
  it('puts frames that were lost and sent again in their places, each once', async () => {
    const ends = wired();
    say(ends, 'a', 'b', 'c');
    const [first, second, third, last] = ends.wire;
    ends.deliver(first);
    ends.deliver(third); // the second is missing
    assert.deepEqual(ends.asked, [1]);
    ends.log.resend(1);
    ends.deliver(first);
    for (const frame of [second, third, third, last]) ends.deliver(frame);
    assert.equal(await textOf(ends.attempt), 'abc');
  });

  it('learns by a sign of life that frames are missing', () => {
    const ends = wired();
    say(ends, 'a');
    ends.log.beat();
    ends.log.beat();
    ends.deliver(ends.wire.at(-1));
    assert.deepEqual(ends.asked, [0]);
  });

  it('puts a frame that is larger than a message together again', async () => {
    const ends = wired();
    const large = 'ä€😀"\\'.repeat(60_000);
    say(ends, large);
    assert(ends.wire.length > 4);
    assert(ends.wire.every((frame) => Buffer.byteLength(frame) < 512 * 1024));
    for (const frame of ends.wire) ends.deliver(frame);
    assert.equal(await textOf(ends.attempt), large);
  });

  it('is lost when its node does not know it any more', async () => {
    const { attempt, pass } = wired(['unknown']);
    pass(SILENT_MS + 1);
    await assert.rejects(textOf(attempt), { code: 'FLEET_NODE_LOST' });
  });

  it('is lost when its node answers nothing for long', async () => {
    const { attempt, pass, asked } = wired(['late', 'late', 'late']);
    pass(SILENT_MS + 1);
    await Promise.resolve();
    assert.equal(asked.length, 1);
    pass(LOST_MS);
    await assert.rejects(textOf(attempt), { code: 'FLEET_NODE_LOST' });
  });

  it('takes no more of a node that it has given up', async () => {
    const ends = wired();
    say(ends, 'a');
    ends.deliver(ends.wire[0]);
    ends.attempt.fail(new Error('given up'));
    ends.deliver(ends.wire[1]);
    await assert.rejects(textOf(ends.attempt), { message: 'given up' });
  });

  it('fails by an end that is no result', async () => {
    const ends = wired();
    ends.log.say({ k: 'e', v: { finishReason: 'stop' } });
    ends.deliver(ends.wire[0]);
    await assert.rejects(textOf(ends.attempt), { code: 'FLEET_MESSAGE_INVALID' });
  });

  it('cuts pieces across what follows its head, and none beyond it', () => {
    const { attempt } = wired();
    const piece = (offset: number, length: number) => attempt.piece({ attempt: ID, offset, length });
    assert.deepEqual(piece(0, 5), new Uint8Array([1, 2, 3, 4, 5]));
    assert.deepEqual(piece(2, 2), new Uint8Array([3, 4]));
    assert.deepEqual(piece(4, 1), new Uint8Array([5]));
    assert.equal(piece(4, 2), undefined);
    assert.equal(piece(9, 1), undefined);
  });
});
