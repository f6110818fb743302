/** Memory over thousands of requests of varied size on the embedded model. */
import { childMessage } from '../child-message.ts';
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
    const script = new URL('../memory/soak-child.ts', import.meta.url);
    const flags = ['--max-semi-space-size=8'];
    const samples = await childMessage<MemorySample[]>('the soak', script, [String(requests)], flags);
    return soakResult(requests, samples);
  },
};
