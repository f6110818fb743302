/**
 * Shared memory that no arena, cache or load board uses any more, for the next one of the same size. V8 does not count shared memory, so
 * dead arenas do not make it collect them: engines that come and go would each reserve their own until the process has
 * no address space left. What nobody takes stays free to be collected.
 */
const idle = new Map<number, WeakRef<SharedArrayBuffer>[]>();

/** Memory of exactly that size. Its content is whatever was there before. */
export function takeMemory(bytes: number): SharedArrayBuffer {
  const given = idle.get(bytes) ?? [];
  idle.delete(bytes);
  const alive = given.flatMap((reference) => reference.deref() ?? []);
  const memory = alive.pop();
  if (alive.length > 0) {
    idle.set(
      bytes,
      alive.map((one) => new WeakRef(one)),
    );
  }
  return memory ?? new SharedArrayBuffer(bytes);
}

/** The same, without content. */
export function takeZeroedMemory(bytes: number): SharedArrayBuffer {
  const memory = takeMemory(bytes);
  new Uint8Array(memory).fill(0);
  return memory;
}

/** To be called once, by the only one that uses the memory. */
export function giveMemory(memory: SharedArrayBuffer): void {
  if (memory.byteLength === 0) return; // of an arena that only counts
  const given = idle.get(memory.byteLength) ?? [];
  idle.set(memory.byteLength, [...given, new WeakRef(memory)]);
}
