/** Which name comes twice in one object of a JSON text: looked for only once it is known that one does. */

/** Texts, and what opens and closes; everything else is of no interest. */
const TOKENS = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs;

/**
 * @param json valid, and not nested deeply
 * @returns the first, cut to 64 characters
 */
export function repeatedName(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(TOKENS)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const name: string = JSON.parse(token.slice(0, -colon.length));
      if (open.at(-1)?.has(name)) return name.slice(0, 64);
      open.at(-1)?.add(name);
    }
  }
  return undefined;
}
