/** Which device each role was asked to run on. More GPU-owning actors than one are refused, naming both sides. */
import { InputError } from '../../actors/errors.ts';
import { type DeviceChoice, isGpu } from '../../actors/inference/gpu/device.ts';
import type { Mode } from '../chat-types.ts';
import type { TroupeOptions } from './options.ts';

export interface DeviceChoices {
  /** In aggregated mode the same as PD's. */
  readonly encoder: DeviceChoice;
  readonly pd: DeviceChoice;
}

const WHY = 'a GPU belongs to one actor of a process: two threads with GPU sessions crash it';

/** @throws InputError `INVALID_OPTION` */
export function deviceChoices(mode: Mode, options: TroupeOptions): DeviceChoices {
  const { device = 'cpu', encoder, pd } = options;
  const forPd = pd?.device ?? device;
  const forEncoder = mode === 'aggregated' ? forPd : (encoder?.device ?? device);
  const pdField = pd?.device === undefined ? 'device' : 'pd.device';
  const encoderField = encoder?.device === undefined ? 'device' : 'encoder.device';
  refuseSeveral(pdField, forPd, 'pd.count', pd?.count);
  if (mode === 'aggregated') return { encoder: forEncoder, pd: forPd };
  refuseSeveral(encoderField, forEncoder, 'encoder.count', encoder?.count);
  if (isGpu(forEncoder) && isGpu(forPd)) {
    throw new InputError(
      'INVALID_OPTION',
      `gives the GPU to the encoder and to PD (${pdField} "${forPd}"), but ${WHY}`,
      {
        field: encoderField,
        value: forEncoder,
        remedy: 'Choose mode "aggregated", or set encoder.device or pd.device to "cpu"',
      },
    );
  }
  return { encoder: forEncoder, pd: forPd };
}

function refuseSeveral(field: string, device: DeviceChoice, countField: string, count = 1): void {
  if (!isGpu(device) || count === 1) return;
  throw new InputError('INVALID_OPTION', `cannot be combined with ${countField} ${count}: ${WHY}`, {
    field,
    value: device,
    remedy: `Set ${countField} to 1, or ${field} to "cpu"`,
  });
}
