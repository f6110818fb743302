/** Whether a GPU provider starts on this machine, and which piece is missing when it does not. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { GpuDevice } from '../../actors/inference/gpu/device.ts';
import { type MissingPiece, missingPiece } from '../../actors/inference/gpu/gpu-errors.ts';
import { moduleBeside } from '../../runtime/module-beside.ts';

/** A first start compiles shaders: under a second on a GPU, a few on a busy machine that emulates one. */
const PATIENCE_MS = 60_000;
const MOST_OUTPUT = 1024 * 1024;

export type ProbeResult = { readonly works: true } | ({ readonly works: false } & MissingPiece);

export function probeGpu(device: GpuDevice): Promise<ProbeResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [fileURLToPath(moduleBeside(import.meta.url, './probe-process')), device],
      { timeout: PATIENCE_MS, killSignal: 'SIGKILL', maxBuffer: MOST_OUTPUT },
      (error, stdout, stderr) => {
        const answer = /\{"troupeProbe":.*\}/.exec(stdout)?.[0];
        const said = answer === undefined ? undefined : String(JSON.parse(answer).troupeProbe);
        // The provider may abort on its way out, with the answer given: that would be our process, too.
        if (said === 'works' && error === null) resolve({ works: true });
        else if (said !== undefined && said !== 'works') {
          resolve({ works: false, ...missingPiece(`${stdout}\n${stderr}`) });
        } else resolve({ works: false, ...crashed(error) });
      },
    );
  });
}

function crashed(error: { readonly killed?: boolean; readonly signal?: string | null } | null): MissingPiece {
  const how = error?.killed
    ? `does not answer in ${PATIENCE_MS / 1000} s`
    : `crashes (${error?.signal ?? 'it ended early'})`;
  return {
    missing: 'driver',
    problem: `its driver ${how}`,
    remedy: 'Update the GPU driver, or run on the CPU',
  };
}

const SOFTWARE = /swiftshader|lvp_icd|lavapipe|llvmpipe/i;

/**
 * A sign of a GPU of flesh: `auto` asks for one, since WebGPU also runs on drivers that emulate it on the CPU, slower
 * than the CPU itself. Undefined where there is none.
 */
export function hardwareGpu(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  if (SOFTWARE.test(`${env.VK_DRIVER_FILES ?? ''} ${env.VK_ICD_FILENAMES ?? ''}`)) return undefined;
  if (process.platform !== 'linux') return undefined;
  if (existsSync('/dev/nvidia0')) return '/dev/nvidia0';
  const nodes = existsSync('/dev/dri') ? readdirSync('/dev/dri') : [];
  const render = nodes.find((name) => name.startsWith('renderD'));
  return render === undefined ? undefined : `/dev/dri/${render}`;
}
