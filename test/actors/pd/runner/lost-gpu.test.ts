import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gpuLost } from '../../../../actors/inference/gpu/gpu-errors.ts';
import { GpuMemory } from '../../../../actors/inference/gpu/gpu-memory.ts';
import { LanguageStage } from '../../../../actors/pd/language-stage.ts';
import type { ActorContext } from '../../../../runtime/actor/actor-context.ts';
import { StepLoop } from '../../../../runtime/actor/step-loop.ts';
import { pilotEngine } from '../support/pilot.ts';

it('a lost GPU ends the actor after the step, for the supervisor to start it anew', async () => {
  const gpu = await GpuMemory.own('webgpu', 'a test');
  const engine = await pilotEngine();
  const crash = Promise.withResolvers<unknown>();
  const context = {
    loop: (step) => new StepLoop(step, crash.resolve),
    reportLoad: () => {},
  } satisfies Partial<ActorContext>;
  // The stage uses no more of its context than this when it steps.
  const stage = new LanguageStage(engine, 1, context as unknown as ActorContext, gpu);
  const lost = gpuLost('the device is lost', undefined);
  gpu.noteLost(lost);
  stage.wake();
  assert.equal(await crash.promise, lost);
  assert(lost.retrySafe);
  await stage.release();
  gpu.release();
});
