/** What a GGUF file is written from. */
import type { GgufType } from './gguf-blocks.ts';

export type GgufValue =
  | string
  | boolean
  | { readonly uint32: number }
  | { readonly float32: number }
  | { readonly strings: readonly string[] }
  | { readonly int32s: readonly number[] }
  | { readonly float32s: readonly number[] };

export interface GgufTensor {
  readonly name: string;
  /** The axis whose values lie beside each other first. */
  readonly dims: readonly number[];
  readonly type: GgufType;
  make(): Promise<Uint8Array>;
}
