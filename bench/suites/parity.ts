/**
 * Greedy text, identical to transformers.js on the same files, and identical however a request is run: alone, in a
 * batch, in either mode, a second time out of the caches. This suite fails when a single text differs.
 */
import process from 'node:process';
import { MODES, Troupe } from '../../src/index.ts';
import { EMBEDDED_MODEL, embeddedPrecision } from '../embedded-model.ts';
import type { Precision } from '../generated-model/graph-writer.ts';
import { parityRequests } from '../parity-requests.ts';
import { type PeerRequest, toChatOptions } from '../peers/peer-request.ts';
import { TransformersPeer } from '../peers/transformers.ts';
import type { Claim, Suite } from '../suite.ts';

const QUICK_REQUESTS = 30;
const IN_FLIGHT = 16;
const SHOWN = 3;

export const paritySuite: Suite = {
  name: 'parity',
  description:
    'greedy text of the embedded model, alone, batched, cached, in either mode, against transformers.js',
  shows: 'identical on 273 prompts; the run fails (exit code 1) when a text differs',
  async run({ quick, dtype: wanted }) {
    const dtype = wanted ?? (await embeddedPrecision());
    const requests = parityRequests().slice(0, quick ? QUICK_REQUESTS : undefined);
    const expected = await answersOfPeer(requests, dtype);
    const claims: Claim[] = [];
    for (const mode of MODES) {
      await using engine = await Troupe.start({ mode, dtype });
      for (const [name, inFlight] of [
        ['alone', 1],
        ['batched', IN_FLIGHT],
        ['again, cached', IN_FLIGHT],
      ] as const) {
        if (name !== 'again, cached') await engine.clearCaches();
        const texts = await answersOf(engine, requests, inFlight);
        claims.push({
          text: `Texts of ${requests.length} that differ from transformers.js, ${mode}, ${name}`,
          measured: countDifferent(`${mode}, ${name}`, requests, texts, expected),
          unit: '',
          goal: { atMost: 0 },
          required: true,
        });
      }
    }
    return { claims };
  },
};

async function answersOfPeer(requests: readonly PeerRequest[], dtype: Precision): Promise<readonly string[]> {
  const peer = await TransformersPeer.start(EMBEDDED_MODEL, dtype);
  try {
    return (await peer.answer({ requests, order: 'in-turn' })).texts;
  } finally {
    await peer.stop();
  }
}

async function answersOf(
  engine: Troupe,
  requests: readonly PeerRequest[],
  inFlight: number,
): Promise<string[]> {
  const texts: string[] = [];
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++) {
      const request = requests[index];
      if (request !== undefined) texts[index] = (await engine.chat(toChatOptions(request))).text;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return texts;
}

function countDifferent(
  way: string,
  requests: readonly PeerRequest[],
  texts: readonly string[],
  expected: readonly string[],
): number {
  // Troupe leaves out the white space before an answer, transformers.js leaves it to the caller.
  const different = requests.flatMap((request, index) =>
    texts[index]?.trim() === expected[index]?.trim() ? [] : [{ request, index }],
  );
  for (const { request, index } of different.slice(0, SHOWN)) {
    const asked = JSON.stringify(request.messages);
    process.stderr.write(`${way}: ${asked}\n  ours   ${texts[index]}\n  theirs ${expected[index]}\n`);
  }
  return different.length;
}
