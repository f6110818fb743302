/** One actor's part in its pool: what it tells the others, and what it may take while none of them works. */
import type { WideRuns } from './inference/wide-runs.ts';
import type { PrefixListener } from './pd/prefix-cache/prefix-cache.ts';
import { memberIndex, PoolBoard, type PoolWork } from './pool-board.ts';
import type { PdArgs } from './protocols.ts';

export interface PoolMember {
  readonly prefixListener: PrefixListener | undefined;
  /** Of the first actor alone. */
  readonly wide: WideRuns | undefined;
  /** How much of a kind is in work here. */
  note(work: PoolWork, count: number): void;
}

/** @param name `pool/0` */
export function poolMember(
  { board: memory, threadsAlone }: Pick<PdArgs, 'board' | 'threadsAlone'>,
  name: string,
): PoolMember {
  if (memory === undefined) return { prefixListener: undefined, wide: undefined, note: () => {} };
  const board = new PoolBoard(memory);
  const member = memberIndex(name);
  board.enter(member);
  const isWide = member === 0 && threadsAlone !== undefined;
  return {
    prefixListener: { keep: (key) => board.keep(member, key), drop: (key) => board.drop(member, key) },
    wide: isWide ? { threads: threadsAlone, isNow: () => board.isAlone(member) } : undefined,
    note: (work, count) => board.note(member, work, count),
  };
}
