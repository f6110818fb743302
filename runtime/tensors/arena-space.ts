/** Taking and giving back the room that tensors lie in, with the books of it. Needs the arena's lock. */
import { type ArenaHandle, type ArenaTables, PEAK_BLOCKS, TENSORS, USED_BLOCKS } from './arena-layout.ts';
import type { BlockMap } from './block-map.ts';
import type { HoldTable } from './hold-table.ts';
import type { SharedTensor } from './shared-tensor.ts';
import { tensorTooLarge } from './tensor-errors.ts';
import { type TensorType, tensorBytes } from './tensor-type.ts';

export class ArenaSpace {
  /** Without the memory, which outlives a retired arena only if nobody refers to it. */
  readonly #size: Pick<ArenaHandle, 'name' | 'capacityBytes' | 'blockBytes'>;
  readonly #tables: ArenaTables;
  readonly #holds: HoldTable;
  readonly #blocks: BlockMap;

  constructor(handle: ArenaHandle, tables: ArenaTables, holds: HoldTable, blocks: BlockMap) {
    const { name, capacityBytes, blockBytes } = handle;
    this.#size = { name, capacityBytes, blockBytes };
    this.#tables = tables;
    this.#holds = holds;
    this.#blocks = blocks;
  }

  /** Throws `TENSOR_TOO_LARGE`. Needs no lock. */
  checkFits(type: TensorType, shapes: readonly (readonly number[])[]): void {
    const { name, capacityBytes } = this.#size;
    const sizes = shapes.map((shape) => this.#blocksFor(type, shape) * this.#size.blockBytes);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes <= capacityBytes) return;
    const wanted = shapes.length === 1 ? tensorBytes(type, shapes[0] ?? []) : bytes;
    throw tensorTooLarge(name, type, shapes[0] ?? [], wanted, capacityBytes);
  }

  #blocksFor(type: TensorType, shape: readonly number[]): number {
    return Math.max(1, Math.ceil(tensorBytes(type, shape) / this.#size.blockBytes));
  }

  /** All of them, or nothing when there is no room for one. */
  takeAll<Type extends TensorType>(
    type: Type,
    shapes: readonly (readonly number[])[],
    holder: number,
  ): SharedTensor<Type>[] | undefined {
    const taken: SharedTensor<Type>[] = [];
    for (const shape of shapes) {
      const tensor = this.take(type, shape, holder);
      if (tensor === undefined) {
        for (const { entry } of taken) {
          this.#holds.release(entry, holder);
          this.freeIfUnheld(entry);
        }
        return undefined;
      }
      taken.push(tensor);
    }
    return taken;
  }

  /** Undefined for want of a free run of blocks, or of a free row in the tables. */
  take<Type extends TensorType>(
    type: Type,
    shape: readonly number[],
    holder: number,
  ): SharedTensor<Type> | undefined {
    if (!this.#holds.hasRoom) return undefined;
    const blocks = this.#blocksFor(type, shape);
    const firstBlock = this.#blocks.take(blocks);
    if (firstBlock < 0) return undefined;
    const entry = this.#holds.open(firstBlock, blocks, holder);
    this.#count(blocks, 1);
    const { name, blockBytes } = this.#size;
    return {
      kind: 'shared-tensor',
      arena: name,
      type,
      shape: [...shape],
      byteOffset: firstBlock * blockBytes,
      byteLength: tensorBytes(type, shape),
      entry,
      generation: this.#holds.generationOf(entry),
    };
  }

  freeIfUnheld(entry: number): void {
    if (this.#holds.isHeld(entry)) return;
    const run = this.#holds.blocksOf(entry);
    this.#holds.close(entry);
    this.#blocks.give(run.first);
    this.#count(-run.count, -1);
  }

  #count(blocks: number, tensors: number): void {
    const { header } = this.#tables;
    const used = (header[USED_BLOCKS] ?? 0) + blocks;
    header[USED_BLOCKS] = used;
    header[TENSORS] = (header[TENSORS] ?? 0) + tensors;
    if (used > (header[PEAK_BLOCKS] ?? 0)) header[PEAK_BLOCKS] = used;
  }
}
