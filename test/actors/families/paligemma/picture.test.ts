import { preprocessorSchema } from '../../../../actors/families/paligemma/config.ts';
import { paligemma } from '../../../../actors/families/paligemma/paligemma.ts';
import { processorGolden, testPixels } from '../support/processor-golden.ts';

for (const one of processorGolden('paligemma').cases) {
  const { image_seq_length: _, ...preprocessor } = preprocessorSchema.parse(one.config);
  testPixels(one, !preprocessor.do_normalize && !preprocessor.do_rescale, () =>
    paligemma.images({ preprocessor, tokens: 1 }).plan(one),
  );
}
