/** Finds the end of a JSON value by its brackets and quotes. Whether it is JSON between them is not looked at. */
export class JsonSpan {
  #depth = 0;
  #inText = false;
  #escaped = false;

  /** @returns whether the character is the value's last; of numbers and words the end is not found */
  feed(character: string): boolean {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (character === '\\') this.#escaped = true;
      else if (character === '"') this.#inText = false;
      return !this.#inText && this.#depth === 0;
    }
    if (character === '"') this.#inText = true;
    else if (character === '{' || character === '[') this.#depth += 1;
    else if (character === '}' || character === ']') {
      this.#depth -= 1;
      return this.#depth <= 0;
    }
    return false;
  }
}
