/** An engine over the tiny GroupQueryAttention fixture: no model directory, a letter for each token. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GpuMemory } from '../../../../actors/inference/gpu/gpu-memory.ts';
import { OrtSession } from '../../../../actors/inference/ort-session.ts';
import { graphSignature } from '../../../../actors/model/onnx/graph-signature.ts';
import { decodeModel, encodeModel } from '../../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../../../actors/model/onnx/onnx-types.ts';
import { rewriteDecoder } from '../../../../actors/model/rewrite/rewrite-decoder.ts';
import { keepSteps } from '../../../../actors/model/rewrite/steps-alone.ts';
import { type EngineOptions, PdEngine } from '../../../../actors/pd/engine/engine.ts';
import { GpuKvCache } from '../../../../actors/pd/kv-cache/gpu/gpu-kv-cache.ts';
import { KvBudget } from '../../../../actors/pd/kv-cache/kv-budget.ts';
import { bytesPerToken, type KvPort, kvPorts } from '../../../../actors/pd/kv-cache/kv-signature.ts';
import { PlainKvCache } from '../../../../actors/pd/kv-cache/plain-kv-cache.ts';
import { SlotKvCache } from '../../../../actors/pd/kv-cache/slot-kv-cache.ts';
import { PrefixCache } from '../../../../actors/pd/prefix-cache/prefix-cache.ts';
import type { Sequence } from '../../../../actors/pd/requests/sequence.ts';
import { Decoder } from '../../../../actors/pd/runner/decoder.ts';
import { layoutOf } from '../../../../actors/pd/runner/graph-parts.ts';
import { ModelRunner } from '../../../../actors/pd/runner/model-runner.ts';
import type { PromptHelp } from '../../../../actors/pd/runner/remote-prefill.ts';
import {
  GROUP_QUERY,
  type GroupQueryVariant,
  groupQueryDecoder,
} from '../../../fixtures/graphs/group-query-decoder.ts';
import type { DecoderKind } from './pilot.ts';
import { describeToken } from './requests.ts';

export interface GroupQueryOptions extends Partial<EngineOptions> {
  readonly kvType?: 'float32' | 'float16';
  readonly kind?: DecoderKind;
  /** Steps have a graph of their own. */
  readonly steps?: boolean;
  /** Asked before each run: whether it is run by a second decoder, whose steps have a graph of their own. */
  readonly isWideNow?: () => boolean;
  /** Of the decoder. */
  readonly variant?: GroupQueryVariant;
  /** Runs the decoder there, as it came; released with the engine. */
  readonly gpu?: GpuMemory;
  readonly prefixCacheBytes?: number;
  /** Tokens of all sequences together that there is memory for. */
  readonly kvTokens?: number;
  /** Who runs prompts meanwhile, over a decoder of its own; parts are then of 10 tokens. */
  readonly help?: (decoder: Decoder, ports: readonly KvPort[]) => Omit<PromptHelp, 'localDecoder'>;
}

export async function groupQueryEngine(options: GroupQueryOptions = {}): Promise<PdEngine> {
  const { kvType = 'float32', kind = 'rewritten', prefixCacheBytes = 0 } = options;
  const { maxRunning = 8, maxWaiting = 64, prefillTokensPerStep, speculation, costs } = options;
  const model = groupQueryDecoder(kvType, GROUP_QUERY.contextLength, options.variant);
  if (kind === 'rewritten') rewriteDecoder(model, GROUP_QUERY);
  const { gpu } = options;
  const session = await sessionOf(model, gpu);
  const steps = options.steps ? await stepsOf(model) : undefined;
  const ports = kvPorts(session, GROUP_QUERY);
  const each = bytesPerToken(ports);
  const budget = new KvBudget((options.kvTokens ?? maxRunning * GROUP_QUERY.contextLength) * each, each);
  const help = options.help && (await helped(options.help, model, ports));
  const layout = layoutOf(graphSignature(model).opTypes);
  const runner = new ModelRunner<Sequence>({
    decoder: new Decoder(session, undefined, steps),
    embedder: undefined,
    gpu,
    cache:
      gpu !== undefined
        ? await GpuKvCache.load(ports, true, gpu)
        : kind === 'plain'
          ? new PlainKvCache(ports, layout)
          : new SlotKvCache(ports, budget.tokens, help !== undefined),
    help,
    wide: options.isWideNow && {
      decoder: new Decoder(await sessionOf(model), undefined, await stepsOf(model)),
      takes: options.isWideNow,
    },
    ...(help === undefined ? {} : { promptRuns: { fewest: 10, most: 10 } }),
    budget,
    prefixes: new PrefixCache(prefixCacheBytes),
    imageTokenId: -1,
  });
  const newDetokenizer = () => ({ push: (id: number) => String.fromCharCode(32 + id), flush: () => '' });
  const { contextLength } = GROUP_QUERY;
  return new PdEngine(
    { runner, newDetokenizer, describe: describeToken, contextLength, eosTokenIds: [], imageTokenId: -1 },
    {
      maxRunning,
      maxWaiting,
      speculation,
      costs,
      ...(prefillTokensPerStep === undefined ? {} : { prefillTokensPerStep }),
    },
  );
}

/** As from the file that the decoder is read from. */
async function stepsOf(model: OnnxModel): Promise<OrtSession> {
  const copy = decodeModel(encodeModel(model));
  assert.ok(keepSteps(copy));
  return await sessionOf(copy);
}

async function helped(
  help: NonNullable<GroupQueryOptions['help']>,
  model: OnnxModel,
  ports: readonly KvPort[],
): Promise<PromptHelp> {
  const [decoder, beside] = [new Decoder(await sessionOf(model)), new Decoder(await sessionOf(model))];
  return Object.assign(help(decoder, ports), { localDecoder: beside });
}

export async function sessionOf(model: OnnxModel, gpu?: GpuMemory): Promise<OrtSession> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-graph-'));
  const path = join(folder, 'decoder.onnx');
  await writeFile(path, encodeModel(model));
  const session = await OrtSession.load(path, {
    threads: 1,
    gpu,
    ...(gpu === undefined ? {} : { staysOnGpu: presentsOf(model) }),
  });
  await rm(folder, { recursive: true });
  return session;
}

function presentsOf({ graph }: OnnxModel): string[] {
  return (graph?.output ?? []).map(({ name = '' }) => name).filter((name) => name !== 'logits');
}
