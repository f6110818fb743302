/**
 * What 8 bits cost in answers: greedy text of the embedded model, its vision graph and decoder quantized as the Hub's
 * `_quantized` files are, against its own text in 32 bits. Troupe gives each token a scale of its own, transformers.js
 * runs the files as they are, with one for all of a run.
 */
import { Troupe } from '../../src/index.ts';
import { quantizedCopy } from '../../test/support/quantized-copy.ts';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import { differing, textsOf, textsOfPeer } from '../greedy-texts.ts';
import { comparedRequests } from '../parity-requests.ts';
import type { Suite } from '../suite.ts';

const IN_FLIGHT = 16;

export const quantizationSuite: Suite = {
  name: 'quantization',
  description: 'greedy text of the embedded model in 8 bits, against its text in 32, and in a batch',
  shows: 'no more texts differ than with transformers.js on the same files; none because of its batch',
  async run({ quick }) {
    await using model = await quantizedCopy(EMBEDDED_MODEL);
    const { path } = model;
    const requests = comparedRequests({ quick });
    const answers = async (dtype: 'fp32' | 'q8', inFlight: number) => {
      await using engine = await Troupe.start({ model: path, dtype });
      return await textsOf(engine, requests, inFlight);
    };
    const exact = await answers('fp32', IN_FLIGHT);
    const alone = await answers('q8', 1);
    const batched = await answers('q8', IN_FLIGHT);
    const theirs = differing(await textsOfPeer(path, requests, 'q8'), exact).length;
    const ours = differing(alone, exact).length;
    const unit = ` of ${requests.length}`;
    return {
      figures: [
        {
          title: 'Greedy texts in 8 bits that are not those in 32',
          rows: [
            { name: 'transformers.js', value: theirs, unit },
            { name: 'Troupe', value: ours, unit },
          ],
        },
      ],
      claims: [
        {
          text: `Texts of ${requests.length} in 8 bits that differ from those in 32, at most as many as with transformers.js`,
          measured: ours,
          unit: '',
          goal: { atMost: theirs },
        },
        {
          text: `Texts of ${requests.length} in 8 bits that differ in a batch from those alone`,
          measured: differing(batched, alone).length,
          unit: '',
          goal: { atMost: 0 },
        },
      ],
    };
  },
};
