import { preprocessorSchema } from '../../../../actors/families/gemma3/config.ts';
import { gemma3 } from '../../../../actors/families/gemma3/gemma3.ts';
import { processorGolden, testPixels } from '../support/processor-golden.ts';

for (const one of processorGolden('gemma3').cases) {
  const preprocessor = preprocessorSchema.parse(one.config);
  testPixels(one, !preprocessor.do_normalize && !preprocessor.do_rescale, () =>
    gemma3.images({ preprocessor, tokens: 1 }).plan(one),
  );
}
