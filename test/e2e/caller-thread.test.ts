import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import { goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

describe("the caller's thread", () => {
  it('never loads what runs inference or decodes images', async () => {
    const loaded = new Set<string>();
    const hooks = registerHooks({
      resolve(specifier, context, next) {
        loaded.add(specifier);
        return next(specifier, context);
      },
    });
    try {
      const { Troupe } = await import('../../src/index.ts');
      for (const mode of ['aggregated', 'disaggregated'] as const) {
        await using troupe = await Troupe.start({ model: PILOT_MODEL, mode });
        await Promise.all(goldens.slice(0, 4).map((one) => troupe.chat({ messages: goldenMessages(one) })));
      }
    } finally {
      hooks.deregister();
    }
    assert(loaded.has('piscina'), 'the hooks see what is loaded');
    for (const heavy of ['onnxruntime-node', 'sharp', '@huggingface/tokenizers']) {
      assert(!loaded.has(heavy), `${heavy} is loaded`);
    }
  });
});
