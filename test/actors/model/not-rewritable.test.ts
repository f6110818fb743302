import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { NotRewritable } from '../../../actors/model/rewrite/not-rewritable.ts';
import { rewriteDecoder } from '../../../actors/model/rewrite/rewrite-decoder.ts';
import { intAttribute } from '../../fixtures/graphs/graph-builder.ts';
import { groupQueryDecoder } from '../../fixtures/graphs/group-query-decoder.ts';
import { CONCAT, GROUPED } from './support/decoder-kinds.ts';

describe('a decoder that cannot be rewritten says why', () => {
  const refused = async (change: (model: OnnxModel) => void, why: RegExp, from = GROUPED) => {
    const model = await from.model();
    change(model);
    assert.throws(
      () => rewriteDecoder(model, from.shape),
      (error) => error instanceof NotRewritable && why.test(error.message),
    );
  };
  const attentions = (model: OnnxModel) =>
    (model.graph?.node ?? []).filter(({ opType }) => opType === 'GroupQueryAttention');

  it('a local window that holds nothing', () =>
    refused((model) => {
      attentions(model)[0]?.attribute?.push(intAttribute('local_window_size', 0));
    }, /a local window of 0/));

  it('scores capped below 0', () =>
    refused((model) => {
      attentions(model)[0]?.attribute?.push({ name: 'softcap', type: 1, f: -30 });
    }, /negative softcap/));

  it('attention sinks', () =>
    refused((model) => {
      attentions(model)[1]?.input?.push('', '', 'sinks');
    }, /sinks/));

  it('head counts that differ from the configuration', () =>
    refused((model) => {
      for (const one of attentions(model)[0]?.attribute ?? []) if (one.name === 'num_heads') one.i = 8;
    }, /head counts/));

  it('keys and values in float16', () =>
    refused((model) => Object.assign(model, groupQueryDecoder('float16')), /not float32/));

  it('a cache that another operator makes', () =>
    refused(
      (model) => {
        for (const one of model.graph?.node ?? []) {
          if (one.output?.[0] === 'present.1.value') one.opType = 'If';
        }
      },
      /present\.1\.value is made by If/,
      CONCAT,
    ));

  it('no cache at all', () =>
    refused((model) => {
      if (model.graph !== undefined) model.graph.input = model.graph.input?.slice(0, 3) ?? [];
    }, /no past_key_values/));
});
