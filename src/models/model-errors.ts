/** Why a model does not get into memory. */
import { TroupeError } from '../../runtime/errors.ts';
import type { ModelNeeds } from './model-slot.ts';

export function noRoom(name: string): TroupeError {
  return new TroupeError(`there is no room for ${name} beside the others`, {
    code: 'MODEL_HAS_NO_ROOM',
    details: { model: name },
  });
}

export function overBudget(name: string, { memoryBytes }: ModelNeeds, budgetBytes: number): TroupeError {
  const remedy = 'Raise modelsMemoryBytes, or choose a smaller precision';
  return new TroupeError(
    `The model ${name} needs ${memoryBytes} bytes, of ${budgetBytes} that all models may have. ${remedy}`,
    { code: 'MODEL_OVER_BUDGET', details: { model: name, memoryBytes, budgetBytes, remedy } },
  );
}
