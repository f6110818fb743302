/** Image features that are added behind several layers of a decoder, as in Qwen3-VL: one tensor for each such layer. */
const DEEPSTACK = /^deepstack_features\.\d+$/;

/** Those of a graph's inputs or outputs, in the order of the layers. */
export function deepstackNames(names: Iterable<string>): string[] {
  const found = [...names].filter((name) => DEEPSTACK.test(name));
  return found.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
