/** A schema and where it stands: what errors name and what is remembered by. */
import { type ConstraintErrorCode, constraintError } from '../constraint-errors.ts';

/** The keywords of a schema that is an object. */
export type Keywords = Readonly<Record<string, unknown>>;

export interface SchemaNode {
  readonly schema: boolean | Keywords;
  /** JSON pointer from the root schema: `/properties/a`. */
  readonly pointer: string;
}

/** A fault of one keyword. */
export function keywordError(
  field: string,
  { pointer }: Pick<SchemaNode, 'pointer'>,
  keyword: string,
  code: ConstraintErrorCode,
  problem: string,
  value: unknown,
  remedy: string,
) {
  const place = keyword === '' ? pointer : `${pointer}/${escapePointer(keyword)}`;
  return constraintError({ code, field: `${field}#${place}`, problem, value, remedy });
}

/** A key as a part of a JSON pointer. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

export function isKeywords(value: unknown): value is Keywords {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
