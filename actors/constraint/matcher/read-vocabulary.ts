/** The vocabulary of a model for constraints, from its files. */
import type { ModelDirectory } from '../../model/model-directory.ts';
import { readTokenizer } from '../../model/tokenizer-file.ts';
import { ConstraintVocabulary } from './constraint-vocabulary.ts';

/** @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT */
export async function readVocabulary({
  tokenizerPath,
  geometry,
}: ModelDirectory): Promise<ConstraintVocabulary> {
  return new ConstraintVocabulary(
    await readTokenizer(tokenizerPath),
    geometry.eosTokenIds,
    geometry.vocabSize,
  );
}
