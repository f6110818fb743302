import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Registry } from 'prom-client';
import type { EngineStats } from '../../src/engine-stats.ts';
import { EngineMetrics } from '../../src/server/observe/engine-metrics.ts';

/** An engine that only says what its GPU counts. */
function engineWith(gpu: EngineStats['gpu']) {
  const stats: EngineStats = {
    ...{ requestsInFlight: 0, actors: [], arenas: [], caches: [], weights: [], deadLetters: 0 },
    ...(gpu === undefined ? {} : { gpu }),
  };
  const engine = {
    health: () => ({ ready: true, failed: [], requestsInFlight: 0, actors: [] }),
    stats: async () => stats,
  };
  return [{ name: 'm', engine }];
}

const GPU = {
  device: 'webgpu',
  liveBuffers: 10,
  liveBytes: 4096,
  hostToDeviceBytes: 3000,
  deviceToHostBytes: 700,
  promptTokensPerRun: 512,
} as const;

it('what crosses to and from the GPU, and what lives there, is exposed as its actor counts it', async () => {
  const registry = new Registry();
  const metrics = new EngineMetrics(registry);
  await metrics.collect(engineWith(GPU));
  // A scrape takes the actor's counts, it does not add to the last one's.
  await metrics.collect(engineWith({ ...GPU, hostToDeviceBytes: 3500, liveBuffers: 0 }));
  const exposed = await registry.metrics();
  for (const line of [
    'troupe_gpu_transfer_bytes_total{direction="host_to_device",model_name="m"} 3500',
    'troupe_gpu_transfer_bytes_total{direction="device_to_host",model_name="m"} 700',
    'troupe_gpu_buffers{model_name="m"} 0',
    'troupe_gpu_prompt_tokens_per_run{model_name="m"} 512',
  ]) {
    assert(exposed.split('\n').includes(line), `${line} in\n${exposed}`);
  }
});

it('no bytes are exposed where no actor has a GPU', async () => {
  const registry = new Registry();
  await new EngineMetrics(registry).collect(engineWith(undefined));
  assert.doesNotMatch(await registry.metrics(), /^troupe_gpu_transfer_bytes_total\{/m);
});
