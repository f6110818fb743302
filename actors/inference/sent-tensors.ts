/** Tensors as plain records, which can be sent to another thread. */

import type { Tensors } from './graph-session.ts';
import { Tensor } from './onnxruntime.ts';

type TensorData = Exclude<Tensor['data'], readonly string[]>;

export interface SentTensor {
  readonly type: Tensor.Type;
  readonly data: TensorData;
  readonly dims: readonly number[];
}

export type SentTensors = Readonly<Record<string, SentTensor>>;

/** Copies of tensors. @throws TypeError for tensors of strings, or on a GPU */
export function sentTensors(tensors: Tensors): SentTensors {
  const entries = Object.entries(tensors).map(([name, { type, data, dims }]) => {
    if (!ArrayBuffer.isView(data)) throw new TypeError(`${name} is ${type}; numbers can be sent`);
    // A view would be cloned with its whole buffer, whatever it shows of it.
    return [name, { type, data: data.slice(), dims }] as const;
  });
  return Object.fromEntries(entries);
}

export function receivedTensors(sent: SentTensors): Tensors {
  const entries = Object.entries(sent).map(([name, { type, data, dims }]) => {
    return [name, new Tensor(type, data, dims)] as const;
  });
  return Object.fromEntries(entries);
}
