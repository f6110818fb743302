/** Keeps many requests in flight and watches what that does to the caller's own thread. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Troupe } from '../../src/index.ts';
import { type Conversation, openingMessage } from './conversations.ts';

const IN_FLIGHT = 16;
const REQUESTS_EACH = 6;
/** How often the event loop is looked at; a loop that does nothing reads this much. */
const RESOLUTION_MS = 1;

export interface LoadReport {
  readonly inFlight: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
  /** How late the main thread came to its timers, milliseconds. */
  readonly eventLoopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
}

export async function underLoad(troupe: Troupe, conversations: readonly Conversation[]): Promise<LoadReport> {
  const messages = conversations.map(({ pictures, questions: [question = ''] }) =>
    openingMessage(pictures, question),
  );
  const requests = IN_FLIGHT * REQUESTS_EACH;
  let asked = 0;
  let tokens = 0;
  const caller = async () => {
    for (let request = asked++; request < requests; request = asked++) {
      const message = messages[request % messages.length];
      if (message === undefined) return; // there is at least one conversation
      const { usage } = await troupe.chat({ messages: [message] });
      tokens += usage.completionTokens;
    }
  };
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  const seconds = (performance.now() - startedAt) / 1000;
  delay.disable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return {
    inFlight: IN_FLIGHT,
    requests,
    requestsPerSecond: requests / seconds,
    tokensPerSecond: tokens / seconds,
    eventLoopDelay: {
      p50: late(delay.percentile(50)),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
    },
  };
}
