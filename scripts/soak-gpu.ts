/** `npm run soak:gpu`: two long checks of the GPU path, on whatever Vulkan driver there is. */
import type { ChatMessage } from '../actors/generation.ts';
import { Troupe } from '../src/index.ts';
import { defaultGoldenMessages, defaultGoldens } from '../test/support/default-golden.ts';
import { goldenMessages, goldens } from '../test/support/golden.ts';
import { PILOT_MODEL } from '../test/support/pilot-model.ts';
import { flagsOf } from './flags.ts';

const AT_ONCE = 16;
const CANCELLED_SHARE = 0.5;
const LEAST_EQUAL = 0.99;

const HELP = `Usage: npm run soak:gpu -- [options]

Asks on a GPU (docs/gpu.md says how without one). Requests with random cancels: buffers that live on the GPU at the
end must be those at the start. Prompts for the embedded model, pictures and questions of its golden set: greedy
tokens must be the CPU's in at least 99 of 100.

Options:
  --requests N   with random cancels (default: 500)
  --prompts N    that are compared (default: 200)
  --minutes N    each part stops then, and says how far it came (default: 30)
  --help         show this
`;

const values = flagsOf(HELP, {
  requests: { type: 'string', default: '500' },
  prompts: { type: 'string', default: '200' },
  minutes: { type: 'string', default: '30' },
});
const limitMs = Number(values.minutes) * 60_000;

/** Runs jobs 0 to `count` - 1, some at a time, until the time is over. @returns how many were run */
async function inTime(count: number, job: (index: number) => Promise<void>): Promise<number> {
  const endsAt = performance.now() + limitMs;
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < count && performance.now() < endsAt) {
      await job(next++);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}

async function soak(requests: number): Promise<boolean> {
  await using troupe = await Troupe.start({ model: PILOT_MODEL, device: 'webgpu' });
  await troupe.chat({ messages: [{ role: 'user', content: 'hello' }] });
  const start = (await troupe.stats()).gpu?.liveBuffers;
  let cancelled = 0;
  let wrong = 0;
  const ran = await inTime(requests, async (index) => {
    const one = goldens[index % goldens.length];
    if (one === undefined) return;
    const controller = new AbortController();
    const stream = troupe.stream({ messages: goldenMessages(one), signal: controller.signal });
    const cancels = Math.random() < CANCELLED_SHARE;
    // Anywhere between submission and the third token.
    const after = Math.floor(Math.random() * 4);
    if (cancels && after === 3) setTimeout(() => controller.abort(), Math.random() * 500);
    try {
      let deltas = 0;
      for await (const _ of stream) if (cancels && deltas++ === after) controller.abort();
      if ((await stream.result).tokenIds.join() !== one.tokenIds.join()) wrong += 1;
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      cancelled += 1;
    }
  });
  const end = (await troupe.stats()).gpu?.liveBuffers;
  console.log(
    `requests ${ran} of ${requests}, ${cancelled} cancelled, ${wrong} wrong; live buffers ${start} -> ${end}`,
  );
  return ran === requests && wrong === 0 && start === end;
}

/** A golden conversation; once those are used up, its pictures with the question of another one. */
function conversation(index: number): ChatMessage[] {
  const { length } = defaultGoldens;
  const one = defaultGoldens[index % length];
  const other = defaultGoldens[(index + Math.floor(index / length)) % length];
  if (one === undefined || other === undefined) throw new RangeError('there are no goldens');
  return defaultGoldenMessages(one === other ? one : { ...one, history: [], question: other.question });
}

async function compare(prompts: number): Promise<boolean> {
  const asked = Array.from({ length: prompts }, (_, index) => conversation(index));
  const answer = async (device: 'cpu' | 'webgpu'): Promise<Map<number, string>> => {
    await using troupe = await Troupe.start({ device, dtype: 'fp32' });
    const answers = new Map<number, string>();
    await inTime(asked.length, async (index) => {
      const one = asked[index];
      if (one === undefined) return;
      const { tokenIds } = await troupe.chat({ messages: one });
      answers.set(index, tokenIds.join());
    });
    return answers;
  };
  const onCpu = await answer('cpu');
  const onGpu = await answer('webgpu');
  const equal = [...onGpu].filter(([index, tokens]) => onCpu.get(index) === tokens).length;
  console.log(
    `greedy tokens equal in ${equal} of ${onGpu.size} prompts (${prompts} asked, batches of ${AT_ONCE})`,
  );
  return onGpu.size === prompts && equal >= LEAST_EQUAL * prompts;
}

const requests = Number(values.requests);
const prompts = Number(values.prompts);
const passed = [requests === 0 || (await soak(requests)), prompts === 0 || (await compare(prompts))];
process.exitCode = passed.every(Boolean) ? 0 : 1;
