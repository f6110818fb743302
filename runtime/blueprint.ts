/**
 * A blueprint ties a protocol to the module that implements it and to the arguments it starts with. It is what
 * a system needs to spawn the actor, and the only thing about an actor that other code imports: the module
 * itself, with its heavy dependencies, is loaded on the actor's own thread.
 */
import { moduleBeside } from './module-beside.ts';
import type { Protocol } from './protocol.ts';

declare const ARGS: unique symbol;

/** What a system needs to spawn an actor; made by `blueprint`. */
export interface Blueprint<P extends Protocol, Args> {
  /** The messages that the actor understands. */
  readonly protocol: P;
  /** URL of a module whose default export is the actor (see `defineActor`). Throws `BUNDLED` when it is not there. */
  readonly module: string;
  /** For the compiler alone. @internal */
  readonly [ARGS]?: (args: Args) => void;
}

/**
 * Ties a protocol to the module that implements it.
 *
 * @param protocol the messages that the actor understands
 * @param base `import.meta.url` of the file that declares the blueprint
 * @param module path of the actor's module relative to it, without extension: the sources are `.ts`, the
 *   published package `.js`, and a blueprint must resolve in either
 */
export function blueprint<P extends Protocol, Args>(
  protocol: P,
  base: string | undefined,
  module: string,
): Blueprint<P, Args> {
  return {
    protocol,
    // Looked for when an actor is to start: declaring a protocol must not fail, wherever the code was moved to.
    get module() {
      return moduleBeside(base, module).href;
    },
  };
}
