/**
 * Free text in which passages are constrained. Free text is any text in which no `begin` comes; where one has come, its
 * content and its `end` follow. A `begin` that contains another could never come whole, so it is refused.
 */

import type { ConstrainedTag, TaggedConstraint } from '../constraint.ts';
import { constraintError } from '../constraint-errors.ts';
import type { GrammarBuilder } from '../grammar/grammar-builder.ts';
import { MAX_CONTROLS, type RuleNfa } from '../grammar/rule-nfa.ts';
import { BeginFinder } from './begin-finder.ts';

/** The rule of a tag's content. */
export type ContentRule = (content: ConstrainedTag['content'], field: string) => number;

/**
 * @param controls texts of control tokens that answers show; where one is part of a `begin` or `end`, its token may come
 *
 * @throws InputError CONSTRAINT_INVALID
 */
export function taggedRule(
  constraint: TaggedConstraint,
  field: string,
  builder: GrammarBuilder,
  controls: readonly string[],
  contentRule: ContentRule,
): number {
  checkTags(constraint, field);
  const { tags, required = false, separator, maxTags = Number.POSITIVE_INFINITY } = constraint;
  const used = controls.filter((control) =>
    tags.some(({ begin, end }) => `${begin}\0${end}`.includes(control)),
  );
  builder.controls = used.slice(0, MAX_CONTROLS);
  const bodies = tags.map((tag, i) => {
    const content = contentRule(tag.content, `${field}.tags[${i}].content`);
    return builder.rule('passage', (nfa) => {
      const end = nfa.state();
      nfa.call(nfa.start, content, end);
      shownText(nfa, end, tag.end, nfa.end, builder.controls);
    });
  });
  const begins = [...new Set(tags.map(({ begin }) => begin))];
  const bodiesOf = (begin: number): number[] => bodies.filter((_, i) => tags[i]?.begin === begins[begin]);
  const finder = new BeginFinder(begins, builder.budget);
  const text = builder.rule('text', (nfa) => freeText(nfa, finder, begins, builder.controls, undefined));
  const next = builder.rule('next', (nfa) => freeText(nfa, finder, begins, builder.controls, bodiesOf));
  const left = required ? maxTags - 1 : maxTags;
  const passagesAlone = (between: string) => {
    const following = builder.rule('following passage', (nfa) => {
      const at = nfa.state();
      shownText(nfa, nfa.start, between, at, builder.controls);
      for (const [i, begin] of begins.entries()) {
        const behind = nfa.state();
        shownText(nfa, at, begin, behind, builder.controls);
        for (const body of bodiesOf(i)) nfa.call(behind, body, nfa.end);
      }
    });
    return builder.repetition('passages', { rule: following, min: 0, max: left });
  };
  const further = (max: number) => builder.repetition('passages', { rule: next, min: 0, max });
  const more = separator === undefined || left === 0 ? undefined : passagesAlone(separator);
  return builder.rule('tagged', (nfa) => {
    let at = nfa.start;
    if (required) {
      at = nfa.state();
      for (const [i, begin] of begins.entries()) {
        const behind = nfa.state();
        shownText(nfa, nfa.start, begin, behind, builder.controls);
        for (const body of bodiesOf(i)) nfa.call(behind, body, at);
      }
    }
    if (left === 0) {
      nfa.pass(at, nfa.end);
      return;
    }
    if (more !== undefined) {
      nfa.call(at, more, nfa.end);
      return;
    }
    const before = nfa.state();
    nfa.call(at, further(left - 1), before);
    nfa.call(before, text, nfa.end);
    nfa.call(before, next, nfa.end);
  });
}

/**
 * Any text without a `begin`; with `bodiesOf` it goes on to the first one, and ends behind its passage. A control token is
 * no free text: where one has come as a part of a `begin`, the rest of that follows.
 */
function freeText(
  nfa: RuleNfa,
  finder: BeginFinder,
  begins: readonly string[],
  controls: readonly string[],
  bodiesOf: ((begin: number) => readonly number[]) | undefined,
): void {
  const states = Array.from({ length: finder.size }, () => nfa.state());
  nfa.pass(nfa.start, states[0] ?? nfa.start);
  for (const [place, state] of states.entries()) {
    const found = finder.found(place);
    if (found.length > 0) {
      for (const begin of found) for (const body of bodiesOf?.(begin) ?? []) nfa.call(state, body, nfa.end);
      continue;
    }
    if (bodiesOf === undefined) nfa.pass(state, nfa.end);
    for (const { set, target } of finder.edges(place)) {
      for (const [from, to] of set) nfa.codePoint(state, from, to, states[target] ?? state);
    }
  }
  if (bodiesOf === undefined) return;
  const open = states.filter((_, place) => finder.found(place).length === 0);
  for (const [index, control] of controls.entries()) {
    /** Behind the control token, by what of a `begin` had come before it. */
    const behind = new Map<string, number>();
    for (const [begin, text] of begins.entries()) {
      for (let at = text.indexOf(control); at !== -1; at = text.indexOf(control, at + 1)) {
        const before = text.slice(0, at);
        let state = behind.get(before);
        if (state === undefined) {
          state = nfa.state();
          behind.set(before, state);
          // Where it is the first of a begin, any text may have come.
          const place = states[finder.placeBehind(before)] ?? nfa.start;
          for (const source of at === 0 ? open : [place]) nfa.control(source, index, state);
        }
        const whole = nfa.state();
        shownText(nfa, state, text.slice(at + control.length), whole, controls);
        for (const body of bodiesOf(begin)) nfa.call(whole, body, nfa.end);
      }
    }
  }
}

/** A text that may be spelled with control tokens. */
function shownText(
  nfa: RuleNfa,
  source: number,
  text: string,
  target: number,
  controls: readonly string[],
): void {
  const states = [source];
  const characters = [...text];
  for (const [i, character] of characters.entries()) {
    const next = i === characters.length - 1 ? target : nfa.state();
    nfa.text(states[i] ?? source, character, next);
    states.push(next);
  }
  if (characters.length === 0) nfa.pass(source, target);
  for (const [index, control] of controls.entries()) {
    const length = [...control].length;
    for (let i = 0; i + length <= characters.length; i++) {
      if (characters.slice(i, i + length).join('') !== control) continue;
      nfa.control(states[i] ?? source, index, states[i + length] ?? target);
    }
  }
}

function checkTags({ tags, required, separator }: TaggedConstraint, field: string): void {
  const refuse = (place: string, problem: string, value: unknown, remedy: string) =>
    constraintError({ code: 'CONSTRAINT_INVALID', field: `${field}.${place}`, problem, value, remedy });
  if (separator !== undefined && required !== true) {
    throw refuse('separator', 'needs required', separator, 'Give required: true as well.');
  }
  for (const [i, { begin }] of tags.entries()) {
    if (begin === '')
      throw refuse(`tags[${i}].begin`, 'is empty', begin, 'Give the text that a passage begins with.');
    const inner = tags.find((other) => other.begin !== begin && begin.includes(other.begin));
    if (inner === undefined) continue;
    const remedy = 'Let the passages begin alike, and tell them apart in their content.';
    throw refuse(`tags[${i}].begin`, `contains another begin, ${JSON.stringify(inner.begin)}`, begin, remedy);
  }
}
