/**
 * A schema as it was given: its keywords checked before anything is made of them, and its references found. The whole
 * schema is walked once, so that a keyword that is refused is named wherever it stands.
 */

import { checkKeyword } from './keyword-values.ts';
import { ANNOTATIONS, HONOURED, INSTEAD } from './keywords.ts';
import { escapePointer, isKeywords, keywordError, type SchemaNode } from './schema-node.ts';

/** Schemas within schemas. */
const MAX_DEPTH = 64;

export class SchemaReader {
  readonly field: string;
  readonly root: SchemaNode;
  readonly #byPointer = new Map<string, SchemaNode>();
  readonly #anchors = new Map<string, SchemaNode>();
  readonly #rootId: string | undefined;

  /** @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED, CONSTRAINT_TOO_LARGE */
  constructor(schema: unknown, field: string) {
    this.field = field;
    this.#rootId =
      isKeywords(schema) && typeof schema.$id === 'string' ? schema.$id.replace(/#$/, '') : undefined;
    this.root = this.#read(schema, '', 0);
  }

  /** The schema below `node` at `path`, which reading has checked. */
  below(node: SchemaNode, ...path: readonly (string | number)[]): SchemaNode {
    const pointer = `${node.pointer}${path.map((part) => `/${escapePointer(String(part))}`).join('')}`;
    const found = this.#byPointer.get(pointer);
    if (found === undefined) throw new TypeError(`no schema at ${pointer}`);
    return found;
  }

  /** What `$ref` of a schema leads to. @throws InputError */
  referred(node: SchemaNode, reference: string): SchemaNode {
    const [base = '', fragment = ''] = reference.split('#', 2);
    if (base !== '' && base !== this.#rootId) {
      throw this.#unsupported(
        node,
        '$ref',
        'leads out of the schema',
        reference,
        'Put what it names into $defs.',
      );
    }
    let key: string;
    try {
      key = decodeURIComponent(fragment);
    } catch {
      key = fragment;
    }
    const found =
      key === '' || key.startsWith('/') ? this.#byPointer.get(normalPointer(key)) : this.#anchors.get(key);
    if (found !== undefined) return found;
    throw keywordError(
      this.field,
      node,
      '$ref',
      'CONSTRAINT_INVALID',
      'leads to no schema',
      reference,
      'Name a schema of $defs, an $anchor, or # for the whole.',
    );
  }

  #read(schema: unknown, pointer: string, depth: number): SchemaNode {
    const at = { pointer };
    if (typeof schema !== 'boolean' && !isKeywords(schema)) {
      const remedy = 'Give an object of keywords, true or false.';
      throw keywordError(this.field, at, '', 'CONSTRAINT_INVALID', 'is not a schema', schema, remedy);
    }
    if (depth > MAX_DEPTH) {
      const remedy = `Nest at most ${MAX_DEPTH} schemas, or use $ref.`;
      throw keywordError(this.field, at, '', 'CONSTRAINT_TOO_LARGE', 'is nested too deeply', depth, remedy);
    }
    const node: SchemaNode = { schema, pointer };
    this.#byPointer.set(pointer, node);
    if (typeof schema === 'boolean') return node;
    for (const [keyword, value] of Object.entries(schema)) {
      this.#check(node, keyword, value);
      for (const [path, below] of subschemas(keyword, value))
        this.#read(below, `${pointer}/${path}`, depth + 1);
    }
    if (typeof schema.$anchor === 'string') this.#anchors.set(schema.$anchor, node);
    return node;
  }

  #check(node: SchemaNode, keyword: string, value: unknown): void {
    if (ANNOTATIONS.has(keyword) || keyword.startsWith('x-')) return;
    if (keyword === '$id' && node.pointer !== '') {
      throw this.#unsupported(
        node,
        keyword,
        'gives a schema inside another base',
        value,
        'Use $anchor or $defs.',
      );
    }
    if (!HONOURED.has(keyword)) {
      const remedy = Object.hasOwn(INSTEAD, keyword)
        ? (INSTEAD[keyword] ?? '')
        : 'Leave it out; docs/structured-output.md lists what is honoured.';
      throw this.#unsupported(node, keyword, 'cannot be honoured', value, remedy);
    }
    checkKeyword(this.field, node, keyword, value);
  }

  #unsupported(node: SchemaNode, keyword: string, problem: string, value: unknown, remedy: string) {
    return keywordError(this.field, node, keyword, 'CONSTRAINT_UNSUPPORTED', problem, value, remedy);
  }
}

/** Schemas in the value of a keyword, each with its place from there. */
function subschemas(keyword: string, value: unknown): (readonly [string, unknown])[] {
  switch (keyword) {
    case 'items':
    case 'additionalProperties':
    case 'propertyNames':
      return [[keyword, value]];
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
    case 'prefixItems':
      return Array.isArray(value) ? value.map((one, i) => [`${keyword}/${i}`, one]) : [];
    case 'properties':
    case 'patternProperties':
    case '$defs':
    case 'definitions':
      return isKeywords(value)
        ? Object.entries(value).map(([key, one]) => [`${keyword}/${escapePointer(key)}`, one])
        : [];
    default:
      return [];
  }
}

/** Pointers are compared as they are made here. */
function normalPointer(pointer: string): string {
  const parts = pointer.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return parts.map(escapePointer).join('/');
}
