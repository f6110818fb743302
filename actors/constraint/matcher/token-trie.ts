/**
 * The vocabulary as a tree of bytes, laid out in preorder: the first child of node `i` is `i + 1`, what follows its
 * subtree is `end[i]`. A walk over all tokens is one pass over flat tables that jumps over what a constraint refuses.
 *
 *     node     0 (root)  1 'a'  2 'ab'  3 'abc'  4 'b'
 *     end      5         4      4       4        5
 */
export class TokenTrie {
  readonly byte: Uint8Array;
  readonly depth: Uint16Array;
  readonly end: Int32Array;
  /** Tokens that end in node `i`: from `tokenOffset[i]` up to `tokenOffset[i + 1]`. */
  readonly tokenOffset: Int32Array;
  readonly tokens: Int32Array;
  /** Bytes of the longest token. */
  readonly longest: number;

  /** @param texts bytes of each token; `undefined` or empty: never part of constrained text */
  constructor(texts: readonly (Uint8Array | undefined)[]) {
    const ids = [...texts.keys()].filter((id) => (texts[id]?.length ?? 0) > 0);
    const textOf = (id: number): Uint8Array => texts[id] ?? new Uint8Array();
    ids.sort((a, b) => Buffer.compare(textOf(a), textOf(b)) || a - b);
    const byte: number[] = [0];
    const depth: number[] = [0];
    const end: number[] = [0];
    const tokenOffset: number[] = [0];
    const path: number[] = [0];
    let longest = 0;
    let before = new Uint8Array();
    for (const [place, id] of ids.entries()) {
      const text = textOf(id);
      longest = Math.max(longest, text.length);
      let shared = 0;
      while (shared < before.length && before[shared] === text[shared]) shared++;
      for (let left = path.length - 1; left > shared; left--) end[path[left] ?? 0] = byte.length;
      path.length = shared + 1;
      for (let at = shared; at < text.length; at++) {
        path.push(byte.length);
        tokenOffset.push(place);
        depth.push(at + 1);
        end.push(0);
        byte.push(text[at] ?? 0);
      }
      before = Uint8Array.from(text);
    }
    for (const node of path) end[node] = byte.length;
    tokenOffset.push(ids.length);
    this.byte = Uint8Array.from(byte);
    this.depth = Uint16Array.from(depth);
    this.end = Int32Array.from(end);
    this.tokenOffset = Int32Array.from(tokenOffset);
    this.tokens = Int32Array.from(ids);
    this.longest = longest;
  }

  get nodes(): number {
    return this.byte.length;
  }
}
