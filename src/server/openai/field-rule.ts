/**
 * What becomes of a field: it is honoured; or accepted, since it cannot change the answer; or accepted only where it
 * asks for what is the case anyway; or refused. What could change the answer and is not done is refused by name, so that
 * nobody takes an answer for another; whatever else a client sends is no reason to leave it without one.
 */
export type FieldRule =
  | { readonly kind: 'honoured'; readonly how: string }
  | { readonly kind: 'accepted'; readonly why: string }
  | { readonly kind: 'only'; readonly values: string; accepts(value: unknown): boolean }
  | { readonly kind: 'refused'; readonly why: string };

export type FieldRules = Readonly<Record<string, FieldRule>>;

export type JsonObject = Readonly<Record<string, unknown>>;

export const honoured = (how: string): FieldRule => ({ kind: 'honoured', how });
export const accepted = (why: string): FieldRule => ({ kind: 'accepted', why });
export const refused = (why: string): FieldRule => ({ kind: 'refused', why });
export const only = (values: string, accepts: (value: unknown) => boolean): FieldRule => ({
  kind: 'only',
  values,
  accepts,
});

export const oneOf = (...values: readonly unknown[]): FieldRule =>
  only(values.map((value) => JSON.stringify(value)).join(', '), (value) => values.includes(value));

export const emptyList = only('[]', (value) => Array.isArray(value) && value.length === 0);
export const emptyObject = only('{}', (value) => isJsonObject(value) && Object.keys(value).length === 0);

/** A name that is inherited by every object has no rule. */
export function ruleOf(rules: FieldRules, name: string): FieldRule | undefined {
  return Object.hasOwn(rules, name) ? rules[name] : undefined;
}

/** Why a value that is there is not taken; undefined if it is. */
export function objection(rule: FieldRule, value: unknown): string | undefined {
  if (rule.kind === 'refused') return `is not supported: ${rule.why}`;
  if (rule.kind === 'only' && !rule.accepts(value)) return `is supported only as ${rule.values}`;
  return undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `null` is as good as absent. */
export function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** A client's own name of a field, short enough for an error. */
export const shortened = (name: string): string => (name.length <= 64 ? name : `${name.slice(0, 63)}…`);
