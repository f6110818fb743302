/**
 * A JSON schema as a grammar. Every set of schemas that have to hold for one value becomes one rule, so that recursion is
 * a rule that calls itself, and schemas that say the same share a rule.
 */
import type { CharDfa } from '../automata/char-dfa.ts';
import { literals, unite } from '../automata/string-sets.ts';
import type { GrammarBuilder } from '../grammar/grammar-builder.ts';
import { writeCharacter, writeValue } from '../grammar/json-text.ts';
import type { RuleNfa } from '../grammar/rule-nfa.ts';
import { accepts, type Deciding, distinct } from './accepts.ts';
import { buildArray } from './array-rules.ts';
import { type Atom, FactFinder, type Facts, factsKey, pointersKey } from './facts.ts';
import type { TypeName } from './keyword-values.ts';
import { NumberRules } from './number-rules.ts';
import { buildObject } from './object-rules.ts';
import type { SchemaNode } from './schema-node.ts';
import { SchemaReader } from './schema-reader.ts';
import { StringRules } from './string-rules.ts';
import { typesOf } from './types-of.ts';

export class SchemaCompiler {
  readonly builder: GrammarBuilder;
  readonly reader: SchemaReader;
  readonly strings: StringRules;
  readonly #finder: FactFinder;
  readonly #numbers: NumberRules;
  readonly #deciding: Deciding;
  readonly #keyNames = new Map<string, CharDfa>();
  readonly #rules = new Map<string, number>();
  /** Rules that have a number and no body yet: a queue, so that long chains of references need no deep stack. */
  readonly #pending: (() => void)[] = [];

  /** @param field what errors name */
  constructor(schema: unknown, field: string, builder: GrammarBuilder) {
    this.builder = builder;
    this.reader = new SchemaReader(schema, field);
    this.strings = new StringRules(builder, field);
    this.#numbers = new NumberRules(builder, field);
    this.#finder = new FactFinder(this.reader, builder.budget);
    this.#deciding = {
      reader: this.reader,
      finder: this.#finder,
      stringLanguage: (node, keyword) => this.strings.language(node, keyword),
      keyLanguage: (node, pattern) => this.strings.found(node, 'patternProperties', pattern),
    };
  }

  /** The rule of the whole schema. */
  root(): number {
    const root = this.rule([this.reader.root]);
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) next();
    return root;
  }

  /** The strings that a schema of `propertyNames` allows. */
  keyNames(node: SchemaNode): CharDfa {
    const known = this.#keyNames.get(node.pointer);
    if (known !== undefined) return known;
    const ways = this.#finder.waysOf([node]).filter((facts) => typesOf(facts).has('string'));
    const languages = ways.map((facts) => {
      const values = listedValues(facts)?.filter((value) => accepts(facts, value, this.#deciding));
      if (values !== undefined) return literals(values.map(String), this.builder.budget);
      return this.strings.languageOf(facts);
    });
    const dfa = unite(languages, this.builder.budget);
    this.#keyNames.set(node.pointer, dfa);
    return dfa;
  }

  /** The rule of values for which all of `nodes` hold. */
  rule(nodes: readonly SchemaNode[]): number {
    const said = nodes.filter(({ schema }) => schema !== true);
    const key = pointersKey(said);
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rule = this.builder.reserve('value');
    this.#rules.set(key, rule);
    this.#pending.push(() => {
      const rules = this.#finder.waysOf(said).map((facts) => this.#factsRule(facts));
      this.builder.define(rule, (nfa) => {
        for (const one of rules) nfa.call(nfa.start, one, nfa.end);
      });
    });
    return rule;
  }

  /** The values for which all of `nodes` hold, no two of them equal; undefined where there is no list of them. */
  finiteValues(nodes: readonly SchemaNode[]): readonly unknown[] | undefined {
    const values: unknown[] = [];
    for (const facts of this.#finder.waysOf(nodes)) {
      const some = this.#acceptedValues(facts) ?? fewValues(typesOf(facts));
      if (some === undefined) return undefined;
      values.push(...some);
    }
    this.builder.budget.spend(values.length * values.length);
    return distinct(values);
  }

  /** Of those that `enum` or `const` lists. */
  #acceptedValues(facts: Facts): readonly unknown[] | undefined {
    const values = listedValues(facts);
    if (values === undefined) return undefined;
    const others = facts.map((atom) => (atom.keywords.enum === values ? withoutEnum(atom) : atom));
    return values.filter((value) => {
      this.builder.budget.spend(4 * (1 + facts.length));
      return accepts(others, value, this.#deciding);
    });
  }

  #factsRule(facts: Facts): number {
    const key = `facts\n${factsKey(facts)}`;
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rule = this.builder.reserve('value');
    this.#rules.set(key, rule);
    this.#pending.push(() => this.builder.define(rule, (nfa) => this.#build(nfa, facts)));
    return rule;
  }

  #build(nfa: RuleNfa, facts: Facts): void {
    const values = this.#acceptedValues(facts);
    if (values !== undefined) {
      const texts: string[] = [];
      for (const value of values) {
        if (typeof value === 'object' && value !== null) writeValue(nfa, nfa.start, value, nfa.end);
        else texts.push(JSON.stringify(value));
      }
      nfa.language(nfa.start, literals(texts, this.builder.budget), nfa.end, writeCharacter);
      return;
    }
    for (const type of typesOf(facts)) {
      switch (type) {
        case 'null':
          nfa.text(nfa.start, 'null', nfa.end);
          break;
        case 'boolean':
          nfa.text(nfa.start, 'true', nfa.end);
          nfa.text(nfa.start, 'false', nfa.end);
          break;
        case 'integer':
        case 'number':
          nfa.call(nfa.start, this.#numbers.of(facts, type === 'integer'), nfa.end);
          break;
        case 'string':
          nfa.call(nfa.start, this.strings.of(facts), nfa.end);
          break;
        case 'array':
          buildArray(this, nfa, facts);
          break;
        case 'object':
          buildObject(this, nfa, facts);
          break;
        default:
          throw new TypeError(`no type ${type satisfies never}`);
      }
    }
  }
}

/** All values of types that have few. */
function fewValues(types: ReadonlySet<TypeName>): readonly unknown[] | undefined {
  const values: unknown[] = [];
  for (const type of types) {
    if (type === 'null') values.push(null);
    else if (type === 'boolean') values.push(true, false);
    else return undefined;
  }
  return values;
}

/** The shortest list that `enum` or `const` gives. */
function listedValues(facts: Facts): readonly unknown[] | undefined {
  let shortest: readonly unknown[] | undefined;
  for (const { keywords } of facts) {
    const list: readonly unknown[] | undefined = Object.hasOwn(keywords, 'const')
      ? [keywords.const]
      : Array.isArray(keywords.enum)
        ? keywords.enum
        : undefined;
    if (list !== undefined && (shortest === undefined || list.length < shortest.length)) shortest = list;
  }
  return shortest;
}

/** A list need not be looked for in itself. */
function withoutEnum({ node, keywords }: Atom): Atom {
  return { node, keywords: Object.fromEntries(Object.entries(keywords).filter(([name]) => name !== 'enum')) };
}
