/** Keys of the work that a node has done last, as long as it is likely to be there still. */
import { MOST_KEYS } from '../wire/messages.ts';

/** Of these, the images; conversations have the rest. */
const MOST_IMAGES = MOST_KEYS / 2;

export class HeldKeys {
  readonly #images = new Set<string>();
  readonly #prompts = new Set<string>();
  #changed = false;
  /** Images that the node's cache really has; more keys would promise what is gone. */
  imageEntries = MOST_IMAGES;

  /** Told once of each change. */
  takeChanges(): readonly string[] | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    return this.all;
  }

  get all(): readonly string[] {
    return [...this.#images, ...this.#prompts];
  }

  /** @param keys as `request-keys.ts` makes them */
  add(keys: readonly string[]): void {
    for (const key of keys) {
      const [set, most] = key.startsWith('i')
        ? [this.#images, Math.min(MOST_IMAGES, this.imageEntries)]
        : [this.#prompts, MOST_KEYS - MOST_IMAGES];
      this.#changed ||= !set.has(key);
      set.delete(key);
      set.add(key);
      for (const oldest of set) {
        if (set.size <= Math.max(1, most)) break;
        set.delete(oldest);
      }
    }
  }

  clear(): void {
    this.#changed = true;
    this.#images.clear();
    this.#prompts.clear();
  }
}
