/** Where the model can run: onnxruntime-node comes with libraries for these platforms, and no others. */
import { TroupeError } from '../runtime/errors.ts';
import { moduleBeside } from '../runtime/module-beside.ts';

const PROCESSORS: Readonly<Record<string, readonly string[]>> = {
  linux: ['x64', 'arm64'],
  darwin: ['arm64'],
  win32: ['x64', 'arm64'],
};

export interface Platform {
  readonly platform: string;
  readonly arch: string;
  /** `glibc` or `musl`; null where it is not Linux. */
  readonly libc: string | null;
}

/** Why no model can be run on a platform, if so. */
export function platformObstacle({ platform, arch, libc }: Platform): TroupeError | undefined {
  if (platform === 'linux' && libc !== null && libc !== 'glibc') {
    return unsupported(
      `onnxruntime has no library for Linux with ${libc}, as in Alpine`,
      'Use a system or an image with glibc, node:24-slim for example',
    );
  }
  if (PROCESSORS[platform]?.includes(arch)) return undefined;
  const known = Object.entries(PROCESSORS).flatMap(([name, archs]) => archs.map((each) => `${name}-${each}`));
  return unsupported(
    `onnxruntime has no library for ${platform}-${arch}`,
    `It has them for ${known.join(', ')}`,
  );
}

/** Why this machine cannot run a model, if so. @throws TroupeError `BUNDLED` */
export async function machineObstacle(): Promise<TroupeError | undefined> {
  const { platform, arch } = process;
  return platformObstacle({ platform, arch, libc: platform === 'linux' ? await libcFamily() : null });
}

async function libcFamily(): Promise<string | null> {
  // Not before it is known that this is no bundle: some cannot even load it.
  moduleBeside(import.meta.url, './inspect/graph-worker');
  const { family } = await import('detect-libc');
  return await family();
}

function unsupported(problem: string, remedy: string): TroupeError {
  return new TroupeError(`This machine cannot run a model: ${problem}. ${remedy}`, {
    code: 'PLATFORM_UNSUPPORTED',
    details: { problem, remedy },
  });
}
