/** Which nodes hold which keys: what nodes say, and what was sent to them since. */

export class KeyIndex {
  readonly #holders = new Map<string, Set<string>>();
  readonly #keys = new Map<string, Set<string>>();

  holders(key: string): ReadonlySet<string> {
    return this.#holders.get(key) ?? NOBODY;
  }

  /** All that the node holds. */
  replace(node: string, keys: readonly string[]): void {
    const now = new Set(keys);
    for (const key of this.#keys.get(node) ?? []) if (!now.has(key)) this.#drop(node, key);
    for (const key of now) this.#put(node, key);
    this.#keys.set(node, now);
  }

  /** What it will hold, until it says itself what it does. */
  add(node: string, keys: readonly string[]): void {
    const held = this.#keys.get(node);
    if (held === undefined) return;
    for (const key of keys) {
      held.add(key);
      this.#put(node, key);
    }
  }

  remove(node: string): void {
    for (const key of this.#keys.get(node) ?? []) this.#drop(node, key);
    this.#keys.delete(node);
  }

  #put(node: string, key: string): void {
    const nodes = this.#holders.get(key);
    if (nodes === undefined) this.#holders.set(key, new Set([node]));
    else nodes.add(node);
  }

  #drop(node: string, key: string): void {
    const nodes = this.#holders.get(key);
    nodes?.delete(node);
    if (nodes?.size === 0) this.#holders.delete(key);
  }
}

const NOBODY: ReadonlySet<string> = new Set();
