import assert from 'node:assert/strict';
import { it } from 'node:test';
import { groupQueryEngine } from '../support/group-query.ts';
import { envelope, RecordingSink, runToEnd } from '../support/requests.ts';
import { ALWAYS_PAYS } from './support/costs.ts';

const ANSWERS = 800;
const AT_ONCE = 8;
const VOCABULARY = 64;
const PROMPT = [5, 9, 13, 5, 9, 13, 5, 9];

/** How often each token came third. */
async function thirdTokens(speculation: 'auto' | 'off', firstSeed: number) {
  const engine = await groupQueryEngine({ speculation, costs: ALWAYS_PAYS, maxRunning: AT_ONCE });
  const counts = new Array<number>(VOCABULARY).fill(0);
  for (let done = 0; done < ANSWERS; done += AT_ONCE) {
    const sinks = Array.from({ length: AT_ONCE }, (_, index) => {
      const sink = new RecordingSink();
      // Sharp enough for guesses to come true as well as not.
      const sampling = { maxTokens: 4, temperature: 1.0, seed: firstSeed + done + index };
      engine.submit({ envelope: envelope(PROMPT, sampling), images: [] }, sink);
      return sink;
    });
    await runToEnd(engine);
    for (const { tokenIds } of sinks) {
      const third = tokenIds[2] ?? -1;
      counts[third] = (counts[third] ?? 0) + 1;
    }
  }
  const stats = engine.stats();
  await engine.dispose();
  return { counts, stats };
}

it('drawn tokens have the same distribution with drafts as without, by other random numbers', async () => {
  const drafted = await thirdTokens('auto', 0);
  const single = await thirdTokens('off', ANSWERS);
  const { draftedTokens, acceptedDraftTokens } = drafted.stats;
  assert.ok(acceptedDraftTokens > ANSWERS / 10, `${acceptedDraftTokens} of ${draftedTokens} came`);
  assert.ok(
    draftedTokens - acceptedDraftTokens > ANSWERS / 10,
    `${acceptedDraftTokens} of ${draftedTokens} came`,
  );
  // Pearson's test of homogeneity; rare tokens together are one class.
  const classes = new Map<number, [number, number]>();
  for (const [token, ours] of drafted.counts.entries()) {
    const theirs = single.counts[token] ?? 0;
    const key = ours + theirs < 10 ? -1 : token;
    const [a, b] = classes.get(key) ?? [0, 0];
    classes.set(key, [a + ours, b + theirs]);
  }
  const filled = [...classes.values()].filter(([a, b]) => a + b > 0);
  const chiSquare = filled.reduce((sum, [a, b]) => sum + (a - b) ** 2 / (a + b), 0);
  const freedom = filled.length - 1;
  assert.ok(freedom >= 2, 'there is something to compare');
  // Four standard deviations of the distribution that it has when both are alike.
  assert.ok(
    chiSquare < freedom + 4 * Math.sqrt(2 * freedom),
    `${chiSquare} with ${freedom} degrees of freedom`,
  );
});
