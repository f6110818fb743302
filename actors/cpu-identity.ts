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

/**
 * Whether sums of products of bytes are exact whatever the bytes: not on x64 without VNNI, where onnxruntime adds pairs of
 * them in 16 bits, which saturate. Where the processor does not say, it is taken for one that saturates.
 */
export function sumsBytesExactly(architecture: string = arch(), flags = featureFlags()): boolean {
  return architecture !== 'x64' || /\bavx(?:512)?_vnni\b/.test(flags);
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
