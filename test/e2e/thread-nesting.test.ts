import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Troupe } from '../../src/index.ts';
import { goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';
import { recordThreads, type ThreadEvent } from '../support/thread-record.ts';

/** Threads that the caller's makes: one at least reads the model, the others have the actors. */
const OTHER_ACTORS = { aggregated: 1, disaggregated: 2 } as const;

describe("an engine's threads, and those that read its model", () => {
  for (const [mode, count] of [
    ['aggregated', 1],
    ['aggregated', 2],
    ['disaggregated', 1],
    ['disaggregated', 2],
  ] as const) {
    it(`begin one after another and end like brackets, so that malloc's arenas find their roles again (${mode}, PD actors: ${count})`, async () => {
      const [golden] = goldens;
      assert(golden !== undefined);
      const actors = count + OTHER_ACTORS[mode];
      const record = recordThreads();
      {
        await using troupe = await Troupe.start({ model: PILOT_MODEL, mode, pd: { count } });
        await troupe.chat({ messages: goldenMessages(golden) });
      }
      const events = record.end();
      assertNested(events);
      assert.deepEqual(
        events.slice(-actors).map(([event]) => event),
        Array(actors).fill('ended'),
      );
      assert(events.filter(([event]) => event === 'makes').length > actors);
    });
  }
});

function assertNested(events: readonly ThreadEvent[]): void {
  const running: number[] = [];
  let beginning: number | undefined;
  for (const [event, thread] of events) {
    const now = `${event} ${thread} in ${JSON.stringify(events)}`;
    switch (event) {
      case 'makes':
        assert.equal(beginning, undefined, now);
        beginning = thread;
        break;
      case 'runs':
        assert.equal(beginning, thread, now);
        beginning = undefined;
        running.push(thread);
        break;
      case 'ended':
        assert.equal(running.pop(), thread, now);
        break;
      default:
        event satisfies never;
    }
  }
  assert.deepEqual(running, []);
}
