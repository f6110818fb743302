/** An engine over the tiny GroupQueryAttention fixture: no model directory, a letter for each token. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OrtSession } from '../../../../actors/inference/ort-session.ts';
import { graphSignature } from '../../../../actors/model/onnx/graph-signature.ts';
import { encodeModel } from '../../../../actors/model/onnx/onnx-proto.ts';
import { Decoder } from '../../../../actors/pd/decoder.ts';
import { PdEngine } from '../../../../actors/pd/engine.ts';
import { kvPorts } from '../../../../actors/pd/kv-cache/kv-signature.ts';
import { PlainKvCache } from '../../../../actors/pd/kv-cache/plain-kv-cache.ts';
import { layoutOf } from '../../../../actors/pd/load-graphs.ts';
import { ModelRunner } from '../../../../actors/pd/model-runner.ts';
import { GROUP_QUERY, groupQueryDecoder } from '../../../fixtures/graphs/group-query-decoder.ts';

export async function groupQueryEngine(kvType: 'float32' | 'float16', maxRunning: number): Promise<PdEngine> {
  const model = groupQueryDecoder(kvType);
  const folder = await mkdtemp(join(tmpdir(), 'troupe-graph-'));
  const path = join(folder, 'decoder.onnx');
  await writeFile(path, encodeModel(model));
  const session = await OrtSession.load(path, { threads: 1 });
  await rm(folder, { recursive: true });
  const runner = new ModelRunner({
    decoder: new Decoder(session),
    embedder: undefined,
    cache: new PlainKvCache(kvPorts(session, GROUP_QUERY), layoutOf(graphSignature(model).opTypes)),
    imageTokenId: -1,
    imageTokensPerTile: 1,
  });
  const newDetokenizer = () => ({ push: (id: number) => String.fromCharCode(32 + id), flush: () => '' });
  const { contextLength } = GROUP_QUERY;
  return new PdEngine(
    { runner, newDetokenizer, contextLength, eosTokenIds: [], imageTokenId: -1 },
    { maxRunning, maxWaiting: 64 },
  );
}
