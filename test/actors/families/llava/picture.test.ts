import { preprocessorSchema, withBackground } from '../../../../actors/families/llava/config.ts';
import { llava } from '../../../../actors/families/llava/llava.ts';
import { processorGolden, testPixels } from '../support/processor-golden.ts';

for (const one of processorGolden('llava').cases) {
  testPixels(one, true, () => {
    const config = preprocessorSchema.parse({ ...one.config, image_processor_type: 'LlavaImageProcessor' });
    return llava.images({ preprocessor: withBackground(config), tokens: 1 }).plan(one);
  });
}
