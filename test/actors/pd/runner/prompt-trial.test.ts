import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rewriteDecoder } from '../../../../actors/model/rewrite/rewrite-decoder.ts';
import { promptTokensPerRun } from '../../../../actors/pd/kv-cache/gpu/gpu-prompt-check.ts';
import { kvPorts } from '../../../../actors/pd/kv-cache/kv-signature.ts';
import { SlotKvCache } from '../../../../actors/pd/kv-cache/slot-kv-cache.ts';
import { Decoder } from '../../../../actors/pd/runner/decoder.ts';
import { promptTrial } from '../../../../actors/pd/runner/prompt-trial.ts';
import { GROUP_QUERY, groupQueryDecoder } from '../../../fixtures/graphs/group-query-decoder.ts';
import { sessionOf } from '../support/group-query.ts';

/** The CPU, which is right at every length, in a GPU's place. */
async function decoderAndCache() {
  const model = groupQueryDecoder();
  rewriteDecoder(model, GROUP_QUERY);
  const session = await sessionOf(model);
  const cache = new SlotKvCache(kvPorts(session, GROUP_QUERY), 1024);
  return { decoder: new Decoder(session), embedder: undefined, cache };
}

const TOKENS = { vocabSize: GROUP_QUERY.vocabulary, imageTokenId: -1 };

it('a decoder that is right at every length may run all that was tried', async () => {
  const trial = promptTrial({ ...(await decoderAndCache()), ...TOKENS });
  assert.equal(await promptTokensPerRun(trial, 96), 48);
});

it('a trial leaves nothing in the cache, also when a run fails', async () => {
  const { decoder, embedder, cache } = await decoderAndCache();
  const opened = cache.openPrompt.bind(cache);
  const dropped: unknown[] = [];
  const kvs: unknown[] = [];
  cache.openPrompt = (length) => {
    const kv = opened(length);
    kvs.push(kv);
    return kv;
  };
  cache.drop = (kv) => dropped.push(kv);
  const trial = promptTrial({ decoder, embedder, cache, ...TOKENS });
  await trial([3, 4]);
  await assert.rejects(promptTrial({ decoder, embedder, cache, ...TOKENS, vocabSize: 1e6 })([5]));
  assert.equal(kvs.length, 2);
  assert.deepEqual(dropped, kvs);
});
