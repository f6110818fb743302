/** Seeded random weights: each tensor depends on its name alone, so both precisions hold the same model. */
import { SeededRandom } from '../../actors/pd/sampler/random.ts';

const HALF_RANGE = 2 ** 31;

/** @param deviation standard deviation of the uniform distribution, around 0 */
export function randomWeights(name: string, length: number, deviation: number): Float32Array {
  const random = new SeededRandom(seedOf(name));
  const factor = (deviation * Math.sqrt(3)) / HALF_RANGE;
  const weights = new Float32Array(length);
  for (let i = 0; i < length; i++) weights[i] = (random.nextUint32() - HALF_RANGE) * factor;
  return weights;
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}
