/** Where the GPU tests find a Vulkan driver: what the environment names, else SwiftShader as Chromium brings it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SWIFTSHADER = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'].map((folder) =>
  join(folder, 'vk_swiftshader_icd.json'),
);

/** The environment of a process that can use the driver; undefined where there is none. */
export function vulkanEnvironment(): NodeJS.ProcessEnv | undefined {
  const { VK_DRIVER_FILES: named, LD_LIBRARY_PATH: libraries } = process.env;
  const driver = named ?? SWIFTSHADER.find((path) => existsSync(path));
  if (driver === undefined) return undefined;
  return {
    ...process.env,
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver,
    // Chromium has the Vulkan loader beside its driver, so that none has to be installed.
    LD_LIBRARY_PATH: [libraries, dirname(driver)].filter((part) => part !== undefined).join(':'),
  };
}
