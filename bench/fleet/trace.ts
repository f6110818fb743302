/** Requests for a simulated fleet: made up, or recorded. */
import { readFileSync } from 'node:fs';

export interface TraceRequest {
  /** ms since the start */
  readonly atMs: number;
  readonly answerTokens: number;
  /** What it has in common with others, in order, and how many tokens each is. */
  readonly work: readonly { readonly key: string; readonly tokens: number }[];
}

export type Trace = readonly TraceRequest[];

const BLOCK_TOKENS = 512;
/** Beginnings longer than this are told apart no further: as a real gateway has one key a turn and not one a block. */
const MOST_KEYS = 32;
const IMAGE_TOKENS = 512;

/** @param spread how many times as fast it is played, each time with other numbers, for a larger fleet */
export function recordedTrace(spread: number): Trace {
  const file = new URL('./traces/conversations.json', import.meta.url);
  const rows: readonly (readonly number[])[] = JSON.parse(readFileSync(file, 'utf8'));
  const copies = Array.from({ length: spread }, (_, copy) =>
    rows.map(([atMs = 0, answerTokens = 0, ...ranges], row) => {
      const blocks: number[] = [];
      for (let i = 0; i + 1 < ranges.length; i += 2) {
        const [first = 0, count = 0] = ranges.slice(i, i + 2);
        for (let block = first; block < first + count; block++) blocks.push(block);
      }
      const work = blocks
        .slice(0, MOST_KEYS)
        .map((block) => ({ key: `${copy}-${block}`, tokens: BLOCK_TOKENS }));
      // Copies come between one another.
      return { atMs: atMs + ((row * 7919 + copy * 104_729) % 3_000), answerTokens, work };
    }),
  );
  return copies.flat().sort((a, b) => a.atMs - b.atMs);
}

export interface MadeUp {
  readonly requests: number;
  readonly perSecond: number;
  readonly pictures: number;
  readonly random: () => number;
}

/** Pictures of which some are asked about again and again (Zipf), half of them in conversations that go on. */
export function madeUpTrace({ requests, perSecond, pictures, random }: MadeUp): Trace {
  const popularity = Array.from({ length: pictures }, (_, i) => 1 / (i + 1));
  const sums: number[] = [];
  let sum = 0;
  for (const one of popularity) {
    sum += one;
    sums.push(sum);
  }
  const pick = () => {
    const point = random() * sum;
    let low = 0;
    for (let high = sums.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < point) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const open: { work: TraceRequest['work']; atMs: number }[] = [];
  const trace: TraceRequest[] = [];
  let atMs = 0;
  for (let i = 0; i < requests; i++) {
    atMs += (-Math.log(1 - random()) * 1000) / perSecond;
    const answerTokens = Math.ceil(-Math.log(1 - random()) * 80);
    const turn = { key: `t${i}`, tokens: 60 + Math.floor(random() * 200) };
    const due = open.findIndex((one) => one.atMs < atMs);
    const before = due !== -1 && random() < 0.5 ? open.splice(due, 1)[0]?.work : undefined;
    const work = [...(before ?? [{ key: `i${pick()}`, tokens: IMAGE_TOKENS }]), turn];
    trace.push({ atMs, answerTokens, work });
    if (random() < 0.6 && work.length < 12) open.push({ work, atMs: atMs + 4_000 + random() * 20_000 });
  }
  return trace;
}
