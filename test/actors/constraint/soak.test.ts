import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './support/soak.ts';

const SEED = 20_251_128;

test('answers of random logits are valid, and valid values can be answered', () => {
  const { faults, answers, values, unfinished, refused, schemas } = soak(SEED, 200);
  assert.deepEqual(faults, []);
  assert.ok(answers > 400 && values > 400, `${answers} answers, ${values} values`);
  assert.ok(unfinished < answers / 10, `${unfinished} unfinished`);
  assert.ok(refused < schemas / 5, `${refused} refused`);
});
