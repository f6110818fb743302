/** Memory over thousands of requests of varied size on the embedded model. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { MemorySample } from '../memory/memory-sample.ts';
import { soakResult } from '../memory/soak-result.ts';
import type { Suite } from '../suite.ts';

const REQUESTS = 20_000;
const QUICK_REQUESTS = 400;

export const soakSuite: Suite = {
  name: 'soak',
  description: '20,000 requests of varied size on the embedded model: RSS, PSS, V8 heaps, arenas, KV memory',
  shows: 'memory stays flat: its peak in the last quarter is <= 1.05x of that in the second',
  async run({ quick }) {
    const requests = quick ? QUICK_REQUESTS : REQUESTS;
    return soakResult(requests, await samplesOf(requests));
  },
};

async function samplesOf(requests: number): Promise<MemorySample[]> {
  const child = fork(new URL('../memory/soak-child.ts', import.meta.url), [String(requests)], {
    execArgv: ['--max-semi-space-size=8'],
  });
  let samples: MemorySample[] | undefined;
  child.on('message', (message: MemorySample[]) => {
    samples = message;
  });
  const [code] = await once(child, 'exit');
  if (code !== 0 || samples === undefined) throw new Error(`the soak ended (${code})`);
  return samples;
}
