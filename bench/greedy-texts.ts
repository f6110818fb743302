/** Greedy answers to many requests, of an engine and of the peer, to be compared. */
import process from 'node:process';
import type { Troupe } from '../src/index.ts';
import type { Precision } from './generated-model/precision.ts';
import { inCrowd } from './in-crowd.ts';
import { type PeerRequest, toChatOptions } from './peers/peer-request.ts';
import { TransformersPeer } from './peers/transformers.ts';

const SHOWN = 3;

export async function textsOf(
  engine: Troupe,
  requests: readonly PeerRequest[],
  inFlight: number,
): Promise<readonly string[]> {
  return await inCrowd(
    requests,
    inFlight,
    async (request) => (await engine.chat(toChatOptions(request))).text,
  );
}

/** One after the other. @param model a model directory */
export async function textsOfPeer(
  model: string,
  requests: readonly PeerRequest[],
  dtype: Precision,
): Promise<readonly string[]> {
  const peer = await TransformersPeer.start(model, dtype);
  try {
    return (await peer.answer({ requests, order: 'in-turn' })).texts;
  } finally {
    await peer.stop();
  }
}

/** Which of them differ. Troupe leaves out the white space before an answer, transformers.js leaves it to the caller. */
export function differing(texts: readonly string[], expected: readonly string[]): number[] {
  return [...expected.keys()].filter((index) => texts[index]?.trim() !== expected[index]?.trim());
}

/** Counts those that differ, and shows a few on standard error. */
export function countDiffering(
  way: string,
  requests: readonly PeerRequest[],
  texts: readonly string[],
  expected: readonly string[],
): number {
  const different = differing(texts, expected);
  for (const index of different.slice(0, SHOWN)) {
    const asked = JSON.stringify(requests[index]?.messages);
    process.stderr.write(`${way}: ${asked}\n  ours   ${texts[index]}\n  theirs ${expected[index]}\n`);
  }
  return different.length;
}
