/** Where the model can run: onnxruntime-node comes with libraries for these platforms, and no others. */
import { familySync, GLIBC } from 'detect-libc';
import { TroupeError } from '../runtime/errors.ts';

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
export function platformObstacle(
  { platform, arch, libc }: Platform = thisPlatform(),
): TroupeError | undefined {
  if (platform === 'linux' && libc !== null && libc !== GLIBC) {
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

function thisPlatform(): Platform {
  const { platform, arch } = process;
  return { platform, arch, libc: platform === 'linux' ? familySync() : null };
}

function unsupported(problem: string, remedy: string): TroupeError {
  return new TroupeError(`This machine cannot run a model: ${problem}. ${remedy}`, {
    code: 'PLATFORM_UNSUPPORTED',
    details: { problem, remedy },
  });
}
