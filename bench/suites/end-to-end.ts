/**
 * Whole requests, picture file to text, in both modes and with transformers.js on the same model. Every picture is
 * encoded anew: our caches are cleared between calls, outside the time that counts.
 */
import { MODES, Troupe } from '../../src/index.ts';
import { EMBEDDED_MODEL, embeddedPrecision } from '../embedded-model.ts';
import { RequestCycle } from '../golden-requests.ts';
import { measure, type Task } from '../measure.ts';
import { type PeerRequest, toChatOptions } from '../peers/peer-request.ts';
import { TransformersPeer } from '../peers/transformers.ts';
import type { Suite } from '../suite.ts';

export const endToEndSuite: Suite = {
  name: 'end-to-end',
  description: 'requests in both modes, 1 and 16 at once, against transformers.js',
  async run(options) {
    const dtype = await embeddedPrecision();
    const peer = await TransformersPeer.start(EMBEDDED_MODEL, dtype);
    const engines: Troupe[] = [];
    try {
      for (const mode of MODES) engines.push(await Troupe.start({ mode, dtype }));
      await checkAnswers(engines, peer);
      const compare = (inFlight: number) =>
        measure(
          inFlight === 1 ? 'Requests, one at a time' : `Requests, ${inFlight} at once`,
          'request',
          [peerTask(peer, inFlight), ...engines.map((engine) => engineTask(engine, inFlight))],
          options,
        );
      return { tables: [await compare(1), await compare(16)] };
    } finally {
      for (const engine of engines) await engine.stop();
      await peer.stop();
    }
  },
};

/** What is compared must do the same. */
async function checkAnswers(engines: readonly Troupe[], peer: TransformersPeer): Promise<void> {
  const requests = new RequestCycle().take(8);
  const { texts } = await peer.answer({ requests, order: 'together' });
  for (const engine of engines) {
    const ours = await Promise.all(requests.map((request) => ask(engine, request)));
    const different = ours.findIndex((text, index) => text.trim() !== texts[index]?.trim());
    if (different !== -1) {
      throw new Error(`${engine.mode}: "${ours[different]}", transformers.js: "${texts[different]}"`);
    }
  }
}

/** One call is this many requests, at least; answers are short and long, so single ones say little. */
const REQUESTS_A_CALL = 16;

function peerTask(peer: TransformersPeer, inFlight: number): Task {
  const cycle = new RequestCycle();
  return {
    name: 'transformers.js',
    operations: REQUESTS_A_CALL,
    run: () =>
      sumOf(REQUESTS_A_CALL / inFlight, async () => {
        return (await peer.answer({ requests: cycle.take(inFlight), order: 'together' })).ms;
      }),
  };
}

function engineTask(engine: Troupe, inFlight: number): Task {
  const cycle = new RequestCycle();
  return {
    name: `Troupe, ${engine.mode}`,
    operations: REQUESTS_A_CALL,
    run: async () => {
      await engine.clearCaches();
      return await sumOf(REQUESTS_A_CALL / inFlight, async () => {
        const requests = cycle.take(inFlight);
        const startedAt = performance.now();
        await Promise.all(requests.map((request) => ask(engine, request)));
        return performance.now() - startedAt;
      });
    },
  };
}

async function sumOf(times: number, measureMs: () => Promise<number>): Promise<number> {
  let ms = 0;
  for (let i = 0; i < times; i++) ms += await measureMs();
  return ms;
}

async function ask(engine: Troupe, request: PeerRequest): Promise<string> {
  return (await engine.chat(toChatOptions(request))).text;
}
