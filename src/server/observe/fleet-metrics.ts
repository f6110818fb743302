/** What a gateway knows of its nodes, for Prometheus. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Models } from '../models/served-model.ts';

const STATES = ['up', 'draining', 'silent'] as const;

export class FleetMetrics {
  constructor(registry: Registry, models: Models) {
    const registers = [registry];
    new Gauge<'state'>({
      ...{ name: 'troupe_fleet_nodes', help: 'Nodes of the fleet, by their state', registers },
      labelNames: ['state'],
      collect() {
        for (const state of STATES) {
          this.set({ state }, models.nodes?.filter((node) => node.state === state).length ?? 0);
        }
      },
    });
    new Gauge<'node'>({
      ...{ name: 'troupe_fleet_node_requests', help: 'Requests that a node has, as it says', registers },
      labelNames: ['node'],
      collect() {
        this.reset(); // nodes that are gone
        for (const { node, running, waiting } of models.nodes ?? []) this.set({ node }, running + waiting);
      },
    });
    new Counter<'code'>({
      ...{
        name: 'troupe_fleet_moves_total',
        help: 'Requests given to another node, by what lost them',
        registers,
      },
      labelNames: ['code'],
      collect() {
        this.reset();
        for (const [code, count] of models.moves ?? []) this.inc({ code }, count);
      },
    });
  }
}
