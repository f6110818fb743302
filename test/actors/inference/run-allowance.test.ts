import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { RunAllowance, sizeOf } from '../../../actors/inference/run-allowance.ts';

describe('how long a run is expected to take', () => {
  it('is unknown before the first', () => {
    assert.equal(new RunAllowance().expectedMs(5), undefined);
    assert.equal(new RunAllowance(4_000).expectedMs(5), 4_000);
  });

  it('grows with what is larger than anything before', () => {
    const allowance = new RunAllowance();
    allowance.record(100, 10);
    assert.equal(allowance.expectedMs(1_000), 100);
    allowance.record(1_000, 50);
    assert.equal(allowance.expectedMs(1_000), 50);
  });

  it('does not go by a slow first run, once another has been made', () => {
    const allowance = new RunAllowance();
    allowance.record(16, 20_000);
    assert.equal(allowance.expectedMs(16), 20_000);
    allowance.record(16, 50);
    assert.equal(allowance.expectedMs(640), 2_000);
  });

  it('goes by the first run where the second is smaller', () => {
    const allowance = new RunAllowance();
    allowance.record(16, 700);
    allowance.record(1, 50);
    assert.equal(allowance.expectedMs(16), 700);
  });

  it('is never less than the longest so far', () => {
    const allowance = new RunAllowance();
    allowance.record(100, 10);
    allowance.record(1, 700);
    assert.equal(allowance.expectedMs(1), 700);
  });

  it('goes by what is computed anew, not by what is kept', () => {
    const tensor = (size: number) => new Tensor('float32', new Float32Array(size), [size]);
    assert.equal(
      sizeOf({ inputs_embeds: tensor(8), 'past_key_values.0.key': tensor(64), attention_mask: tensor(32) }),
      8,
    );
    assert.equal(sizeOf({}), 1);
  });
});
