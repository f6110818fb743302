/** A Hub, a cache of its own for a test, and small models that look like real ones from outside. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HubSettings } from '../../../../src/hub/hub-settings.ts';
import { parseModelName } from '../../../../src/hub/model-name.ts';
import { type PullOptions, pullNamed } from '../../../../src/hub/pull-model.ts';
import { HubServer } from '../../../support/hub-server.ts';

export const NAME = 'troupe/small';

export interface HubCache extends AsyncDisposable {
  readonly hub: HubServer;
  readonly folder: string;
  readonly settings: HubSettings;
  pull(model?: string, options?: PullOptions, more?: Partial<HubSettings>): ReturnType<typeof pullNamed>;
}

export async function hubCache(): Promise<HubCache> {
  const hub = await HubServer.start();
  const folder = mkdtempSync(join(tmpdir(), 'troupe-hub-'));
  const settings = {
    ...{ endpoint: hub.endpoint, cacheFolder: join(folder, 'hub') },
    ...{ offline: false, symlinks: true, token: undefined },
  };
  return {
    ...{ hub, folder, settings },
    pull: (model = NAME, options = {}, more = {}) =>
      pullNamed(parseModelName(model), { ...settings, ...more }, options),
    async [Symbol.asyncDispose]() {
      await hub[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Bytes that repeat nowhere, the same at each run. */
export function noise(length: number, seed: string): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, block = 0; at < length; at += 64, block++) {
    createHash('sha512').update(`${seed} ${block}`).digest().copy(bytes, at);
  }
  return bytes;
}

/** Nobody could run it; whoever only fetches it does not know. */
export function smallModel(more: readonly (readonly [string, Buffer])[] = []): (readonly [string, Buffer])[] {
  return [
    ['.gitattributes', Buffer.from('*.onnx filter=lfs\n')],
    ['README.md', Buffer.from('# A card\n')],
    ['config.json', Buffer.from('{"model_type":"idefics3"}')],
    ['generation_config.json', Buffer.from('{}')],
    ['model.safetensors.index.json', Buffer.from('{"weight_map":{}}')],
    ['tokenizer.json', Buffer.from('{"model":{}}')],
    ['chat_template.jinja', Buffer.from('{{ messages }}')],
    ['onnx/vision_encoder.onnx', noise(4000, 'vision')],
    ['onnx/embed_tokens.onnx', noise(3000, 'embed')],
    ['onnx/decoder_model_merged.onnx', noise(9000, 'decoder')],
    ['onnx/vision_encoder_q4.onnx', noise(2000, 'vision q4')],
    ['onnx/embed_tokens_q4.onnx', noise(1000, 'embed q4')],
    ['onnx/decoder_model_merged_q4.onnx', noise(5000, 'decoder q4')],
    ...more,
  ];
}
