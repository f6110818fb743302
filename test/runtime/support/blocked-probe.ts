/** An actor that sits in a handler until a gate opens: what it is sent meanwhile waits in its mailbox. */
import { ActorSystem } from '../../../runtime/system/actor-system.ts';
import type { SpawnOptions } from '../../../runtime/system/system-options.ts';
import { type ProbeRef, probeActor } from '../actors/probe-protocol.ts';
import { Gate } from './gate.ts';

export interface BlockedProbe {
  readonly system: ActorSystem;
  readonly probe: ProbeRef;
  readonly gate: Gate;
  /** Ends when the gate has been opened. */
  readonly blocked: Promise<void>;
  /** Opens the gate and stops the system. */
  stop(): Promise<void>;
}

export async function blockedProbe(options: Omit<SpawnOptions, 'name'>): Promise<BlockedProbe> {
  const system = new ActorSystem();
  const probe = await system.spawn(probeActor, {}, { ...options, name: 'probe' });
  const gate = new Gate();
  const blocked = probe.ask('block', gate.cells);
  await gate.reached();
  const stop = async () => {
    gate.open();
    await system.stop();
  };
  return { system, probe, gate, blocked, stop };
}
