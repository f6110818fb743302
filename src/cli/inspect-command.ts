/** `troupe inspect`: what a model directory holds, whether each mode can run it, what it would start. */
import { inspectModel } from '../inspect/inspect-model.ts';
import type { CommandContext } from './command-context.ts';
import { engineOptionsOf, type InspectFlags } from './flags.ts';
import { formatInspection } from './format-inspection.ts';

export async function inspect(flags: InspectFlags, { output }: CommandContext): Promise<void> {
  const report = await inspectModel(engineOptionsOf(flags));
  await output.write(flags.json === true ? `${JSON.stringify(report)}\n` : formatInspection(report));
}
