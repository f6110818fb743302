/**
 * Options with what is absent filled in. An option that is given as `undefined` is absent, too: programs hand on what they were
 * given themselves (`{ turnMs: options.turnMs }`), and a spread would put the `undefined` in the place of the default.
 */
export function withDefaults<Options extends object>(
  defaults: Options,
  given: { readonly [Key in keyof Options]?: Options[Key] | undefined } | undefined,
): Options {
  const present = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(present) };
}
