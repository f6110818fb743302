/** Where an actor's graphs can run, by the names of `DeviceChoice`. */
export const DEVICES = ['cpu', 'webgpu', 'cuda', 'auto'] as const;

/** As it is asked for. `auto`: what is there and worth it. */
export type DeviceChoice = (typeof DEVICES)[number];

/** As it is decided. */
export type Device = Exclude<DeviceChoice, 'auto'>;

/** Devices whose context belongs to one thread of a process. */
export type GpuDevice = Exclude<Device, 'cpu'>;

export function isGpu(device: DeviceChoice): device is GpuDevice {
  return device === 'webgpu' || device === 'cuda';
}
