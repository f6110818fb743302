/** Which models are in memory and who waits for them, for Prometheus. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { UnloadReason } from '../../models/model-slot.ts';
import type { Models } from '../models/served-model.ts';

/** Seconds. From a small model in the page cache to a large one from a slow disk. */
const LOAD_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export class ModelMetrics {
  constructor(registry: Registry, models: Models, budgetBytes: number) {
    const registers = [registry];
    const labelNames = ['model_name'] as const;
    const perModel = (name: string, help: string, read: (model: Models['all'][number]) => number) =>
      new Gauge({
        ...{ name: `troupe_${name}`, help, labelNames, registers },
        collect() {
          this.reset(); // one that was pulled may be gone
          for (const model of models.all) this.set({ model_name: model.config.name }, read(model));
        },
      });
    perModel('num_requests_running', 'Requests in the engine', ({ queue }) => queue.used);
    perModel('num_requests_waiting', 'Requests in the queue', ({ queue }) => queue.waiting);
    perModel('model_loaded', '1 while the model is in memory', ({ slot }) => Number(slot.state === 'loaded'));
    perModel(
      'model_memory_bytes',
      'What the model is counted at while it is in memory',
      ({ slot }) => slot.memoryBytes,
    );
    const loads = new Histogram({
      ...{ name: 'troupe_model_load_seconds', help: 'Loading a model', buckets: LOAD_BUCKETS },
      ...{ labelNames, registers },
    });
    const failures = new Counter({
      ...{ name: 'troupe_model_load_failures_total', help: 'Loads that failed', labelNames, registers },
    });
    const unloads = new Counter<'model_name' | 'reason'>({
      ...{ name: 'troupe_model_unloads_total', help: 'Unloaded models, by the reason' },
      ...{ labelNames: ['model_name', 'reason'], registers },
    });
    new Gauge({
      ...{
        name: 'troupe_models_budget_bytes',
        help: 'Memory for models that are loaded together',
        registers,
      },
      collect() {
        this.set(budgetBytes);
      },
    });
    models.events.on('loaded', ({ name, loadMs }) => loads.observe({ model_name: name }, loadMs / 1000));
    models.events.on('failed', ({ name }) => failures.inc({ model_name: name }));
    models.events.on('unloaded', ({ name, reason }: { name: string; reason: UnloadReason }) =>
      unloads.inc({ reason, model_name: name }),
    );
  }
}
