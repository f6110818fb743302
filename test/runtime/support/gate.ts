/** A door in shared memory: an actor's handler blocks at it, and the test knows when it does and opens it. */
const OPENED = 0;
const REACHED = 1;

export type GateCells = Int32Array<SharedArrayBuffer>;

export class Gate {
  readonly cells: GateCells = new Int32Array(new SharedArrayBuffer(8));

  /** Blocks the calling thread until the gate is opened. */
  static pass(cells: GateCells): void {
    set(cells, REACHED);
    Atomics.wait(cells, OPENED, 0);
  }

  /** Tells the test that the caller has got here, without blocking. */
  static touch(cells: GateCells): void {
    set(cells, REACHED);
  }

  /** Resolves when somebody blocks at the gate, or touches it. */
  async reached(): Promise<void> {
    await Atomics.waitAsync(this.cells, REACHED, 0).value;
  }

  open(): void {
    set(this.cells, OPENED);
  }
}

function set(cells: GateCells, index: number): void {
  Atomics.store(cells, index, 1);
  Atomics.notify(cells, index);
}
