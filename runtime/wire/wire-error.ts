/** The form in which an error travels: plain data that every clone algorithm takes. */
export interface WireError {
  /** Names of the error's class and of its ancestors, nearest first. */
  readonly lineage: readonly string[];
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** True for a `TroupeError`. */
  readonly branded: boolean;
  /** Own fields that can be cloned. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: WireCause | undefined;
  /** Of an `AggregateError`. */
  readonly errors: readonly WireCause[] | undefined;
}

/** A cause may be anything; what cannot be cloned travels as a description of itself. */
export type WireCause =
  | { readonly kind: 'error'; readonly error: WireError }
  | { readonly kind: 'value'; readonly value: unknown };
