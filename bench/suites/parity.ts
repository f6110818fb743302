/**
 * Greedy text, identical to transformers.js on the same files, and identical however a request is run: alone, in a
 * batch, in either mode, a second time out of the caches. This suite fails when a single text differs.
 */
import { MODES, Troupe } from '../../src/index.ts';
import { EMBEDDED_MODEL, embeddedPrecision } from '../embedded-model.ts';
import { countDiffering, textsOf, textsOfPeer } from '../greedy-texts.ts';
import { comparedRequests } from '../parity-requests.ts';
import type { Claim, Suite } from '../suite.ts';

const IN_FLIGHT = 16;

export const paritySuite: Suite = {
  name: 'parity',
  description:
    'greedy text of the embedded model, alone, batched, cached, in either mode, against transformers.js',
  shows: 'identical on 504 prompts, in five layouts; the run fails (exit code 1) when a text differs',
  async run({ quick, dtype: wanted }) {
    const dtype = wanted ?? (await embeddedPrecision());
    if (dtype === 'q8')
      return { skipped: 'the embedded model has no files in q8: see the suite quantization' };
    const requests = comparedRequests({ quick });
    const expected = await textsOfPeer(EMBEDDED_MODEL, requests, dtype);
    const claims: Claim[] = [];
    for (const mode of MODES) {
      await using engine = await Troupe.start({ mode, dtype });
      for (const [name, inFlight] of [
        ['alone', 1],
        ['batched', IN_FLIGHT],
        ['again, cached', IN_FLIGHT],
      ] as const) {
        if (name !== 'again, cached') await engine.clearCaches();
        const texts = await textsOf(engine, requests, inFlight);
        claims.push({
          text: `Texts of ${requests.length} that differ from transformers.js, ${mode}, ${name}`,
          measured: countDiffering(`${mode}, ${name}`, requests, texts, expected),
          unit: '',
          goal: { atMost: 0 },
          required: true,
        });
      }
    }
    return { claims };
  },
};
