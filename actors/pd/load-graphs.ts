/**
 * From a model directory to the parts of a `ModelRunner`: which graphs are loaded, and which KV cache fits the
 * decoder's kind of export.
 */
import { ModelError } from '../errors.ts';
import { OrtSession } from '../inference/ort-session.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import { Decoder } from './decoder.ts';
import { CONCAT_LAYOUT, GROUP_QUERY_LAYOUT, type KvLayout } from './kv-cache/kv-layout.ts';
import { kvPorts } from './kv-cache/kv-signature.ts';
import { PlainKvCache } from './kv-cache/plain-kv-cache.ts';
import type { ModelRunnerParts } from './model-runner.ts';
import { TokenEmbedder } from './token-embedder.ts';

/** @throws ModelError when a graph cannot be loaded or is of an unknown kind; nothing stays loaded then */
export async function loadGraphs(directory: ModelDirectory, threads: number): Promise<ModelRunnerParts> {
  const { graphs, geometry } = directory;
  const sessions: OrtSession[] = [];
  const load = async (path: string): Promise<OrtSession> => {
    const session = await OrtSession.load(path, { threads });
    sessions.push(session);
    return session;
  };
  try {
    const session = await load(graphs.decoder.path);
    const decoder = new Decoder(session);
    const cache = new PlainKvCache(kvPorts(session, geometry), layoutOf(graphs.decoder.signature.opTypes));
    const embedder = decoder.takesEmbeds
      ? new TokenEmbedder(await load(embedPath(directory)), geometry.hiddenSize)
      : undefined;
    const { imageTokenId, imageTokensPerTile } = geometry;
    return { decoder, embedder, cache, imageTokenId, imageTokensPerTile };
  } catch (error) {
    await Promise.all(sessions.map((session) => session.release()));
    throw error instanceof TypeError ? unknownKind(graphs.decoder.path, error) : error;
  }
}

/** See `kv-layout.ts`: the operator decides where the new token of a row goes. */
export function layoutOf(opTypes: readonly string[]): KvLayout {
  const grouped = opTypes.some((op) => op === 'GroupQueryAttention' || op.endsWith('.GroupQueryAttention'));
  return grouped ? GROUP_QUERY_LAYOUT : CONCAT_LAYOUT;
}

function embedPath({ graphs, path }: ModelDirectory): string {
  if (graphs.embed !== undefined) return graphs.embed.path;
  const remedy = 'Put onnx/embed_tokens.onnx there: the decoder takes embeddings';
  throw new ModelError('MODEL_FILE_MISSING', 'The model has no token embedding graph', { path, remedy });
}

function unknownKind(path: string, cause: TypeError): ModelError {
  const remedy = 'Use an export of the Hub layout, float32 outside and float32 or float16 keys and values';
  return new ModelError(
    'MODEL_UNSUPPORTED',
    `The graphs are of an unknown kind (${cause.message})`,
    { path, remedy },
    cause,
  );
}
