/**
 * float16 and onnxruntime-node 1.30. Where the JavaScript engine has `Float16Array` (Node 24 and later) the
 * library hands its native part such arrays, which that part reads as empty ("not enough space: expected 6,
 * got 0"). Without the global it falls back to `Uint16Array`, which works.
 */

/**
 * Makes float16 tensors usable in this thread, for its whole life: they then hold bit patterns in a
 * `Uint16Array`. Call it in a worker of ours alone, before its first tensor; other code of the thread loses the
 * global `Float16Array`.
 */
export function useUint16ForFloat16(): void {
  Reflect.deleteProperty(globalThis, 'Float16Array');
}
