/** Leaves a thread behind that never comes back, and has nothing else to do. */
import { writeSync } from 'node:fs';
import { ActorSystem } from '../../../../runtime/index.ts';
import { probeActor } from '../../actors/probe-protocol.ts';
import { Gate } from '../../support/gate.ts';

const system = new ActorSystem({ stopGraceMs: 20 });
const probe = await system.spawn(probeActor, {}, { name: 'stuck' });
const gate = new Gate();
probe.ask('block', gate.cells).catch(() => {});
await gate.reached();
const statistics = system.stats();
const { quarantined } = await system.stop();
writeSync(1, JSON.stringify({ quarantined, answered: (await statistics).size }));
