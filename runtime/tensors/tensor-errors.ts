/** How the use of a shared tensor can fail. */
import { TroupeError } from '../errors.ts';
import type { SharedTensor, TensorType } from './shared-tensor.ts';

/** `TENSOR_TOO_LARGE`: waiting is in vain, the tensor would not fit into an empty arena. */
export function tensorTooLarge(
  arena: string,
  type: TensorType,
  shape: readonly number[],
  bytes: number,
  capacityBytes: number,
): TroupeError {
  return new TroupeError(
    `a ${type} tensor of [${shape.join(', ')}] needs ${bytes} bytes; arena '${arena}' holds ${capacityBytes}`,
    { code: 'TENSOR_TOO_LARGE', details: { arena, bytes, capacityBytes } },
  );
}

/** `TENSOR_RELEASED`: the last hold on the tensor is gone, its memory may belong to another tensor. */
export function tensorReleased(tensor: SharedTensor): TroupeError {
  return new TroupeError(`a ${tensor.type} tensor of [${tensor.shape.join(', ')}] was already released`, {
    code: 'TENSOR_RELEASED',
    // Whoever held it died or let go, and nothing was done with it.
    retrySafe: true,
    details: { arena: tensor.arena, entry: tensor.entry, generation: tensor.generation },
  });
}

/** `TENSOR_FOREIGN`: the record names another arena. */
export function tensorForeign(tensor: SharedTensor, arena: string): TroupeError {
  return new TroupeError(`a tensor of arena '${tensor.arena}' was given to arena '${arena}'`, {
    code: 'TENSOR_FOREIGN',
    details: { arena, tensorArena: tensor.arena },
  });
}

/** `TENSOR_HOLDS_EXHAUSTED`: the arena's table of holds is full; create it with a larger `holds`. */
export function tensorHoldsExhausted(arena: string, holds: number): TroupeError {
  return new TroupeError(`all ${holds} holds of arena '${arena}' are in use`, {
    code: 'TENSOR_HOLDS_EXHAUSTED',
    retrySafe: true,
    details: { arena, holds },
  });
}

/** `SYSTEM_STOPPED`: the actors that the arena was for are gone. */
export function arenaRetired(arena: string): TroupeError {
  return new TroupeError(`arena '${arena}' takes no more tensors: its system is stopped`, {
    code: 'SYSTEM_STOPPED',
    details: { arena },
  });
}
