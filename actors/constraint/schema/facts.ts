/**
 * What a set of schemas that all have to hold comes to. References and `allOf` are followed; `anyOf` and `oneOf` make one
 * `Facts` for each way of choosing. What is left is a list of plain keywords which only say something of one value.
 */
import type { WorkBudget } from '../work-budget.ts';
import { checkDisjoint } from './disjoint.ts';
import { type Keywords, keywordError, type SchemaNode } from './schema-node.ts';
import type { SchemaReader } from './schema-reader.ts';

/** Ways of choosing among alternatives, over all `anyOf` and `oneOf` that hold at once. */
const MAX_WAYS = 2_000;
/** Schemas that lead to each other with no value in between. */
const MAX_WAY = 100;

/** One schema whose plain keywords hold, with where it stands. */
export interface Atom {
  readonly node: SchemaNode;
  readonly keywords: Keywords;
}
/** All of these hold. */
export type Facts = readonly Atom[];

/** The same facts have the same key. */
export function factsKey(facts: Facts): string {
  return pointersKey(facts.map(({ node }) => node));
}

/** A key for a set of schemas; each begins with `#`, so that the whole schema is not nothing. */
export function pointersKey(nodes: readonly SchemaNode[]): string {
  return [...new Set(nodes.map(({ pointer }) => `#${pointer}`))].sort().join('\n');
}

/** The numbers that a keyword has in any of the facts. */
export function numbersOf(facts: Facts, keyword: string): number[] {
  return facts.flatMap(({ keywords }) => {
    const value = keywords[keyword];
    return typeof value === 'number' ? [value] : [];
  });
}

/** Keywords that lead to other schemas for the same value. */
const COMBINING = new Set(['$ref', 'allOf', 'anyOf', 'oneOf']);

interface Pending {
  readonly node: SchemaNode;
  /** Schemas that led here without a value in between. */
  readonly through: readonly string[];
}

export class FactFinder {
  readonly #reader: SchemaReader;
  readonly #budget: WorkBudget;
  /** Schemas whose `oneOf` has been looked at, or is being looked at. */
  readonly #disjoint = new Set<string>();

  constructor(reader: SchemaReader, budget: WorkBudget) {
    this.#reader = reader;
    this.#budget = budget;
  }

  /** Every way in which all of `nodes` can hold. Empty: they never do. */
  waysOf(nodes: readonly SchemaNode[]): Facts[] {
    const ways = this.#ways(
      nodes.map((node) => ({ node, through: [] })),
      [],
    );
    const byKey = new Map(ways.map((facts) => [factsKey(facts), facts]));
    return [...byKey.values()];
  }

  #ways(all: readonly Pending[], before: readonly Atom[]): Facts[] {
    const pending = all.toReversed();
    const found = [...before];
    this.#budget.spend(1 + pending.length);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { node, through } = next;
      const { schema } = node;
      if (schema === true) continue;
      if (schema === false) return [];
      this.#checkWay(node, through);
      const lead = (target: SchemaNode): Pending => ({ node: target, through: [...through, node.pointer] });
      const plain = Object.entries(schema).filter(([keyword]) => !COMBINING.has(keyword));
      if (plain.length > 0) found.push({ node, keywords: Object.fromEntries(plain) });
      // The last is taken first: what the schema names first comes first in answers.
      pending.push(...this.#listed(node, 'allOf').toReversed().map(lead));
      if (typeof schema.$ref === 'string') pending.push(lead(this.#reader.referred(node, schema.$ref)));
      const choices = [this.#listed(node, 'anyOf'), this.#listed(node, 'oneOf')].filter(
        (list) => list.length > 0,
      );
      if (choices.length > 0) return this.#choose(node, choices, lead, pending.toReversed(), found);
    }
    return [found];
  }

  /** Each way through the alternatives of one schema, with what else is pending. */
  #choose(
    node: SchemaNode,
    choices: readonly (readonly SchemaNode[])[],
    lead: (target: SchemaNode) => Pending,
    pending: readonly Pending[],
    found: readonly Atom[],
  ): Facts[] {
    let ways: Pending[][] = [[]];
    for (const choice of choices) ways = ways.flatMap((way) => choice.map((one) => [...way, lead(one)]));
    const all: Facts[] = [];
    for (const way of ways) {
      all.push(...this.#ways([...way, ...pending], found));
      if (all.length > MAX_WAYS) throw this.#tooMany(node);
    }
    if (this.#listed(node, 'oneOf').length > 0) this.#checkOneOf(node);
    return all;
  }

  /** Once for each schema; behind its ways, which find schemas that lead to themselves. */
  #checkOneOf(node: SchemaNode): void {
    if (this.#disjoint.has(node.pointer)) return;
    this.#disjoint.add(node.pointer);
    checkDisjoint(this.#reader, node, (nodes) => this.waysOf(nodes));
  }

  #checkWay(node: SchemaNode, through: readonly string[]): void {
    this.#budget.spend(1 + through.length);
    if (through.includes(node.pointer)) throw this.#circle(node);
    if (through.length <= MAX_WAY) return;
    const remedy = `Lead to a schema over at most ${MAX_WAY} others.`;
    const { field } = this.#reader;
    throw keywordError(
      field,
      node,
      '',
      'CONSTRAINT_TOO_LARGE',
      'is behind too many references',
      MAX_WAY,
      remedy,
    );
  }

  #listed(node: SchemaNode, keyword: 'allOf' | 'anyOf' | 'oneOf'): SchemaNode[] {
    const value = typeof node.schema === 'boolean' ? undefined : node.schema[keyword];
    return Array.isArray(value) ? value.map((_, i) => this.#reader.below(node, keyword, i)) : [];
  }

  #circle(node: SchemaNode) {
    return keywordError(
      this.#reader.field,
      node,
      '',
      'CONSTRAINT_INVALID',
      'leads to itself without a value in between ($ref)',
      node.schema,
      'Put the recursion below properties or items.',
    );
  }

  #tooMany(node: SchemaNode) {
    const keyword = this.#listed(node, 'anyOf').length > 0 ? 'anyOf' : 'oneOf';
    const remedy = `Keep the combinations of alternatives within ${MAX_WAYS}.`;
    return keywordError(
      this.#reader.field,
      node,
      keyword,
      'CONSTRAINT_TOO_LARGE',
      'has too many alternatives',
      MAX_WAYS,
      remedy,
    );
  }
}
