/** Prompts with products of their own are run on the CPU alone: a GPU has its own decoder. */
import { InputError } from '../../actors/errors.ts';
import { type Device, isGpu } from '../../actors/inference/gpu/device.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';

/** @throws InputError `INVALID_OPTION` */
export function refusePromptsOnGpu({ graphs }: Pick<ModelDirectory, 'graphs'>, device: Device): void {
  if (graphs.prompts === undefined || !isGpu(device)) return;
  throw new InputError('INVALID_OPTION', 'works on the CPU alone, and the language model runs on a GPU', {
    field: 'pd.promptProducts',
    value: '8-bit',
    remedy: 'Leave it out, or run the language model on the CPU',
  });
}
