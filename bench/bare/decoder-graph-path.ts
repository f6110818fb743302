/** The decoder graph that the engine runs for a model. */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';

export async function decoderGraphPath({ graphs }: ModelDirectory): Promise<string> {
  return graphs.decoder.path;
}
