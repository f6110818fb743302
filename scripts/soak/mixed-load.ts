/** Many clients at once, each asking one thing after the other, until the time is up. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Ending, runClient } from './client.ts';
import { seeded } from './random.ts';
import { KINDS, type Kind } from './requests.ts';

export interface LoadOptions {
  readonly url: string;
  readonly clients: number;
  readonly durationMs: number;
  readonly seed: number;
  /** Clients come again at once after 503, too. */
  readonly insist?: boolean;
}

export interface LoadReport {
  readonly requests: number;
  readonly endings: Readonly<Record<Ending, number>>;
  /** What was lost and why, the first of them. */
  readonly lost: readonly string[];
}

/** A client that was refused asks again after about this time, sooner than it was told: the load shall not abate. */
const AGAIN_MS = 100;
const LEAVES_WITHIN_MS = 300;
const LOST_SHOWN = 20;

export async function mixedLoad({
  url,
  clients,
  durationMs,
  seed,
  insist = false,
}: LoadOptions): Promise<LoadReport> {
  const endings: Record<Ending, number> = {
    answered: 0,
    refused: 0,
    unavailable: 0,
    error: 0,
    left: 0,
    gone: 0,
    lost: 0,
  };
  const lost: string[] = [];
  const end = performance.now() + durationMs;
  const client = async (index: number) => {
    const random = seeded(seed + index);
    while (performance.now() < end) {
      const kind = KINDS[Math.floor(random() * KINDS.length)] as Kind; // the index is below the length
      const { ending, why, retryAfterMs } = await runClient(url, kind, random() * LEAVES_WITHIN_MS);
      endings[ending] += 1;
      if (why !== undefined && lost.length < LOST_SHOWN) lost.push(why);
      if (ending === 'refused' || ending === 'gone') await pause(AGAIN_MS * (0.5 + random()));
      // A client of a server that goes away asks another one, and this one not before it is told to.
      if (retryAfterMs !== undefined && !insist) await pause(Math.min(retryAfterMs, end - performance.now()));
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  const requests = Object.values(endings).reduce((sum, count) => sum + count, 0);
  return { requests, endings, lost };
}
