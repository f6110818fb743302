/**
 * Objects. Properties that are named come in the order in which the schema names them (those only `required` names behind
 * them), then the others, in any order. Each place in that order is a state, told apart by how many properties came.
 */
import { type CharDfa, intersect, matches, subtract } from '../automata/char-dfa.ts';
import { writeSeparator } from '../grammar/json-text.ts';
import type { RuleNfa } from '../grammar/rule-nfa.ts';
import { type Facts, numbersOf } from './facts.ts';
import type { SchemaCompiler } from './schema-compiler.ts';
import { isKeywords, keywordError, type SchemaNode } from './schema-node.ts';
import { ANY_STRING } from './string-rules.ts';

/** Patterns of `patternProperties` at once: keys are told apart by which of them they match. */
const MAX_PATTERNS = 6;

export function buildObject(compiler: SchemaCompiler, nfa: RuleNfa, facts: Facts): void {
  new ObjectBuilder(compiler, nfa, facts).build();
}

/** A property that may come: its key, and the rule of its value. */
interface Property {
  readonly key: (source: number, target: number) => void;
  readonly value: number;
}

class ObjectBuilder {
  readonly #compiler: SchemaCompiler;
  readonly #nfa: RuleNfa;
  readonly #facts: Facts;
  readonly #required: ReadonlySet<string>;
  readonly #min: number;
  readonly #max: number;
  /** Properties are counted up to here. */
  readonly #cap: number;

  constructor(compiler: SchemaCompiler, nfa: RuleNfa, facts: Facts) {
    this.#compiler = compiler;
    this.#nfa = nfa;
    this.#facts = facts;
    this.#required = new Set(strings(facts, 'required'));
    this.#min = Math.max(0, ...numbersOf(facts, 'minProperties'));
    this.#max = Math.min(Number.POSITIVE_INFINITY, ...numbersOf(facts, 'maxProperties'));
    this.#cap = this.#max === Number.POSITIVE_INFINITY ? Math.max(1, this.#min) : this.#max;
  }

  build(): void {
    const nfa = this.#nfa;
    if (this.#min > this.#max) return;
    const close = nfa.state();
    nfa.text(close, '}', nfa.end);
    let layer = [nfa.state()];
    nfa.text(nfa.start, '{', layer[0] ?? 0);
    for (const name of this.#names()) layer = this.#named(name, layer);
    this.#others(layer);
    for (const [count, state] of layer.entries()) if (count >= this.#min) nfa.pass(state, close);
  }

  #names(): string[] {
    const named = this.#facts.flatMap(({ keywords }) =>
      isKeywords(keywords.properties) ? Object.keys(keywords.properties) : [],
    );
    return [...new Set([...named, ...this.#required])];
  }

  /** From a place with `layer[count]` to the next, over the property or past it. */
  #named(name: string, layer: readonly number[]): number[] {
    const nfa = this.#nfa;
    const nodes = this.#allowsName(name) ? this.#nodesOf(name, undefined) : undefined;
    const next: number[] = [];
    const stateOf = (count: number): number => {
      const state = next[count] ?? nfa.state();
      next[count] = state;
      return state;
    };
    const property: Property | undefined = nodes && {
      key: (source, target) => nfa.text(source, JSON.stringify(name), target),
      value: this.#compiler.rule(nodes),
    };
    for (const [count, state] of layer.entries()) {
      if (!this.#required.has(name)) nfa.pass(state, stateOf(count));
      if (property !== undefined && count < this.#max) {
        this.#write(property, state, count === 0, stateOf(Math.min(count + 1, this.#cap)));
      }
    }
    for (let count = 0; count < next.length; count++) stateOf(count);
    return next;
  }

  /** Any number of properties that are not named, at the same place. */
  #others(layer: number[]): void {
    const kinds = this.#kinds();
    if (kinds.length === 0) return;
    const { node } = this.#facts.find(({ keywords }) => keywords.minProperties === this.#min) ?? {};
    if (node !== undefined && this.#min > this.#required.size + 1) {
      const remedy = 'Name the properties, or ask for at most one more than are required.';
      const problem = 'cannot be honoured where keys are free, which may repeat';
      const { field } = this.#compiler.reader;
      throw keywordError(field, node, 'minProperties', 'CONSTRAINT_UNSUPPORTED', problem, this.#min, remedy);
    }
    for (let count = 0; count < layer.length && count < this.#max; count++) {
      const next = Math.min(count + 1, this.#cap);
      const target = layer[next] ?? this.#nfa.state();
      layer[next] = target;
      const state = layer[count];
      if (state === undefined) continue;
      for (const kind of kinds) this.#write(kind, state, count === 0, target);
    }
  }

  #write({ key, value }: Property, source: number, first: boolean, target: number): void {
    const nfa = this.#nfa;
    const start = nfa.state();
    const colon = nfa.state();
    const behind = nfa.state();
    if (first) nfa.pass(source, start);
    else writeSeparator(nfa, source, ',', start);
    key(start, colon);
    writeSeparator(nfa, colon, ':', behind);
    nfa.call(behind, value, target);
  }

  /** The kinds of keys that are not named: which patterns they match says what their values have to be. */
  #kinds(): Property[] {
    const { strings: stringRules, builder, reader } = this.#compiler;
    const patterns = [
      ...new Set(this.#facts.flatMap(({ keywords }) => patternsOf(keywords.patternProperties))),
    ];
    if (patterns.length > MAX_PATTERNS) {
      const node =
        this.#facts.find(({ keywords }) => keywords.patternProperties !== undefined)?.node ?? reader.root;
      const remedy = `Give at most ${MAX_PATTERNS}.`;
      const problem = 'has too many patterns';
      throw keywordError(
        reader.field,
        node,
        'patternProperties',
        'CONSTRAINT_TOO_LARGE',
        problem,
        patterns.length,
        remedy,
      );
    }
    const languages = patterns.map((pattern) => this.#keyLanguage(pattern));
    const kinds: Property[] = [];
    for (let chosen = 0; chosen < 1 << patterns.length; chosen++) {
      const found = new Set(patterns.filter((_, i) => ((chosen >> i) & 1) === 1));
      const nodes = this.#nodesOf(undefined, found);
      if (nodes === undefined) continue;
      const keys = (): CharDfa => {
        let dfa = this.#freeKeys();
        for (const [i, language] of languages.entries()) {
          const both = ((chosen >> i) & 1) === 1 ? intersect : subtract;
          dfa = both(dfa, language, builder.budget);
        }
        return dfa;
      };
      const rule = stringRules.rule(`keys ${JSON.stringify([this.#keysKey(), patterns, chosen])}`, keys);
      kinds.push({
        key: (source, target) => this.#nfa.call(source, rule, target),
        value: this.#compiler.rule(nodes),
      });
    }
    return kinds;
  }

  /** All keys but those that are named. */
  #freeKeys(): CharDfa {
    const { strings: stringRules, builder } = this.#compiler;
    let dfa = stringRules.without(ANY_STRING, this.#names());
    for (const one of this.#nameLanguages()) dfa = intersect(dfa, one, builder.budget);
    return dfa;
  }

  #keysKey(): unknown {
    return [
      this.#names(),
      this.#facts
        .filter(({ keywords }) => keywords.propertyNames !== undefined)
        .map(({ node }) => node.pointer),
    ];
  }

  #nameLanguages(): CharDfa[] {
    return this.#facts.flatMap(({ node, keywords }) => {
      if (keywords.propertyNames === undefined) return [];
      return [this.#compiler.keyNames(this.#compiler.reader.below(node, 'propertyNames'))];
    });
  }

  #allowsName(name: string): boolean {
    return this.#nameLanguages().every((dfa) => matches(dfa, name));
  }

  /** What all facts want of a property; `undefined` when one has no place for it. */
  #nodesOf(name: string | undefined, found: ReadonlySet<string> | undefined): SchemaNode[] | undefined {
    const { reader } = this.#compiler;
    const nodes: SchemaNode[] = [];
    for (const { node, keywords } of this.#facts) {
      const before = nodes.length;
      if (name !== undefined && isKeywords(keywords.properties) && Object.hasOwn(keywords.properties, name)) {
        nodes.push(reader.below(node, 'properties', name));
      }
      for (const pattern of patternsOf(keywords.patternProperties)) {
        const holds = name === undefined ? found?.has(pattern) : matches(this.#keyLanguage(pattern), name);
        if (holds === true) nodes.push(reader.below(node, 'patternProperties', pattern));
      }
      if (nodes.length > before || keywords.additionalProperties === undefined) continue;
      nodes.push(reader.below(node, 'additionalProperties'));
    }
    return nodes.some(({ schema }) => schema === false) ? undefined : nodes;
  }

  #keyLanguage(pattern: string): CharDfa {
    const { reader, strings: stringRules } = this.#compiler;
    const owner = this.#facts.find(({ keywords }) =>
      patternsOf(keywords.patternProperties).includes(pattern),
    );
    return stringRules.found(owner?.node ?? reader.root, 'patternProperties', pattern);
  }
}

function patternsOf(value: unknown): string[] {
  return isKeywords(value) ? Object.keys(value) : [];
}

function strings(facts: Facts, keyword: string): string[] {
  return facts.flatMap(({ keywords }) => {
    const value = keywords[keyword];
    return Array.isArray(value) ? value.map(String) : [];
  });
}
