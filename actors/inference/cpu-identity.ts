/**
 * What packed weights depend on beside the model: their layout is that of the matrix kernels which onnxruntime chose
 * for this processor. The same cache folder may be seen from other machines, so its entries say for which kind they
 * are.
 */
import { readFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';

/** Equal strings mean that the same kernels are chosen, so far as can be known. */
export function cpuIdentity(): string {
  return JSON.stringify([platform(), arch(), cpus()[0]?.model ?? '', featureFlags()]);
}

/** Linux alone lists them; a virtual machine may hide some from a model that has them. */
function featureFlags(): string {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return line.split(/\s+/).sort().join(' ');
  } catch {
    return '';
  }
}
