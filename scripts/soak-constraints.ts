/**
 * `npm run soak:constraints [-- SCHEMAS [SEED]]`: 4,000 random schemas, three answers of random logits for each, checked by
 * ajv, and random valid values, which have to be answerable. Prints what came of it; exit code 1 when anything is wrong.
 */
import { soak } from '../test/actors/constraint/support/soak.ts';

const BLOCK = 250;
const schemas = Number(process.argv[2] ?? 4_000);
const seed = Number(process.argv[3] ?? 1);
const total = { schemas: 0, refused: 0, answers: 0, unfinished: 0, values: 0 };
let faults = 0;
for (let block = 0; block * BLOCK < schemas; block++) {
  const result = soak(seed + block, Math.min(BLOCK, schemas - block * BLOCK));
  for (const name of ['schemas', 'refused', 'answers', 'unfinished', 'values'] as const)
    total[name] += result[name];
  for (const fault of result.faults) console.error(`seed ${seed + block}: ${fault}`);
  faults += result.faults.length;
}
console.log({ ...total, faults });
process.exitCode = faults === 0 ? 0 : 1;
