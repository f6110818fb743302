/**
 * From what a caller says of an answer to tables that tokens are held to. Knows no model: it runs on a thread that does not
 * decode, and what comes out is plain data for the thread that does.
 */
import { createHash } from 'node:crypto';
import { literals } from './automata/string-sets.ts';
import { checkConstraint } from './check-constraint.ts';
import type { Constraint } from './constraint.ts';
import { type ConstraintErrorCode, constraintError } from './constraint-errors.ts';
import { gbnfRule } from './gbnf/gbnf-rules.ts';
import type { CompiledGrammar } from './grammar/compiled-grammar.ts';
import { GrammarBuilder } from './grammar/grammar-builder.ts';
import { writeCharacter } from './grammar/json-text.ts';
import { Stepper } from './matcher/stepper.ts';
import { regexLanguage } from './regex/regex-language.ts';
import { SchemaCompiler } from './schema/schema-compiler.ts';
import { taggedRule } from './tagged/tagged-rules.ts';
import { COMPILE_STEPS, WorkBudget } from './work-budget.ts';

const SPACE = 0x20;

/** Length of a constraint as JSON at most, in UTF-16 units. */
export const MAX_CONSTRAINT_LENGTH = 262_144;
const TOO_LONG = `Keep it within ${MAX_CONSTRAINT_LENGTH} characters of JSON.`;

/**
 * Compiles a constraint; some 5 ms for a schema of 5 KB, about 100 ms at most, whatever the constraint.
 *
 * @param field what errors name, `response_format` say
 *
 * @param controls texts of control tokens that answers show (added tokens which are not `special`): a tagged constraint lets
 *   them come where its tags have their text, and nothing else does
 *
 * @param steps of compiling at most
 *
 * @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED, CONSTRAINT_TOO_LARGE
 */
export function compileConstraint(
  constraint: Constraint,
  field = 'constraint',
  controls: readonly string[] = [],
  steps = COMPILE_STEPS,
): CompiledGrammar {
  checkConstraint(constraint, field);
  const text = constraintText(constraint, field);
  const builder = new GrammarBuilder(new WorkBudget(field, steps), field);
  const content = constraintRule(constraint, field, builder, controls);
  const whole = builder.rule('answer', (nfa) => nfa.call(nfa.start, content, nfa.end));
  // The space before a first word: tokenizers put it into the word's token, and an answer is given without.
  const spaced = builder.rule('answer behind a space', (nfa) => {
    const behind = nfa.state();
    nfa.text(nfa.start, ' ', behind);
    nfa.pass(nfa.start, behind);
    nfa.call(behind, whole, nfa.end);
  });
  const key = createHash('sha256').update(JSON.stringify([text, builder.controls]));
  const grammar = builder.finish(spaced, key.digest('base64'));
  // Where the answer itself may begin with a space, nobody could tell the two apart.
  const stepper = new Stepper(grammar);
  const takesSpace = stepper.step(stepper.begin(whole), SPACE) === null;
  return takesSpace ? { ...grammar, takesSpace } : { ...grammar, takesSpace, root: whole };
}

/** The constraint as JSON. Values that no JSON has, or that lead to themselves, are no constraint. */
function constraintText(constraint: Constraint, field: string): string {
  const refuse = (code: ConstraintErrorCode, problem: string, value: number | null, remedy: string) =>
    constraintError({ code, field, problem, value, remedy });
  if (constraint.type === 'choice') {
    const length = constraint.choices.reduce((sum, choice) => sum + choice.length, constraint.choices.length);
    if (length > MAX_CONSTRAINT_LENGTH) throw refuse('CONSTRAINT_TOO_LARGE', 'is too long', length, TOO_LONG);
  }
  let text: string;
  try {
    text = JSON.stringify(constraint);
  } catch {
    throw refuse(
      'CONSTRAINT_INVALID',
      'cannot be written as JSON',
      null,
      'Nest less deeply, without values that hold themselves.',
    );
  }
  if (text.length > MAX_CONSTRAINT_LENGTH)
    throw refuse('CONSTRAINT_TOO_LARGE', 'is too long', text.length, TOO_LONG);
  return text;
}

function constraintRule(
  constraint: Constraint,
  field: string,
  builder: GrammarBuilder,
  controls: readonly string[],
): number {
  switch (constraint.type) {
    case 'json_schema':
      return new SchemaCompiler(constraint.schema, `${field}.schema`, builder).root();
    case 'json_object':
      return new SchemaCompiler({ type: 'object' }, field, builder).root();
    case 'regex': {
      const dfa = regexLanguage(constraint.pattern, 'whole', `${field}.pattern`, builder.budget);
      return builder.rule('pattern', (nfa) => nfa.language(nfa.start, dfa, nfa.end, writeCharacter));
    }
    case 'choice':
      return builder.rule('choice', (nfa) => {
        nfa.language(nfa.start, literals(constraint.choices, builder.budget), nfa.end, writeCharacter);
      });
    case 'grammar':
      return gbnfRule(constraint.grammar, `${field}.grammar`, builder);
    case 'tagged':
      return taggedRule(constraint, field, builder, controls, (content, place) =>
        constraintRule(content, place, builder, []),
      );
    case 'either': {
      const rules = constraint.alternatives.map((one, i) =>
        constraintRule(one, `${field}.alternatives[${i}]`, builder, controls),
      );
      return builder.rule('either', (nfa) => {
        for (const rule of rules) nfa.call(nfa.start, rule, nfa.end);
      });
    }
    default:
      return constraint satisfies never;
  }
}
