/**
 * What an answer may be, as callers say it. Declared here once: requests carry it from the caller to PD, which lets only
 * those tokens through that keep to it.
 */

/** A JSON schema: draft 2020-12, the keywords of docs/structured-output.md. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** The answer is JSON that the schema accepts. */
export interface JsonSchemaConstraint {
  /** Tells the kinds of constraint apart. */
  readonly type: 'json_schema';
  /** What the JSON has to be. */
  readonly schema: JsonSchema;
}

/** The answer is any JSON object. */
export interface JsonObjectConstraint {
  /** Tells the kinds of constraint apart. */
  readonly type: 'json_object';
}

/** The whole answer matches the pattern. */
export interface RegexConstraint {
  /** Tells the kinds of constraint apart. */
  readonly type: 'regex';
  /** ECMAScript, without back-references and look-around; anchored at both ends. */
  readonly pattern: string;
}

/** The answer is one of these texts. */
export interface ChoiceConstraint {
  /** Tells the kinds of constraint apart. */
  readonly type: 'choice';
  /** At least one. */
  readonly choices: readonly string[];
}

/** The answer is a sentence of the grammar. */
export interface GrammarConstraint {
  /** Tells the kinds of constraint apart. */
  readonly type: 'grammar';
  /** llama.cpp's GBNF; the rule `root` is where it begins. */
  readonly grammar: string;
}

/**
 * Free text in which passages are constrained: from where a `begin` text has appeared until its `end`. For tool calls.
 */
export interface TaggedConstraint {
  /** Tells the kinds of constraint apart. */
  readonly type: 'tagged';
  /** The kinds of passage, at least one; no `begin` contains another. */
  readonly tags: readonly ConstrainedTag[];
  /** At least one passage has to come, with no text before the first. Default false. */
  readonly required?: boolean;
  /** Where it is given, the answer is nothing but passages, with this text between them. Only with `required`. */
  readonly separator?: string;
  /** Passages at most; the answer ends behind the last. Default: any number. */
  readonly maxTags?: number;
}

/** One kind of passage of a `TaggedConstraint`. */
export interface ConstrainedTag {
  /** What it begins with, `<tool_call>\n` say; text that is looked for in the answer. */
  readonly begin: string;
  /** What lies between. */
  readonly content: JsonSchemaConstraint | RegexConstraint | GrammarConstraint;
  /** What it ends with. */
  readonly end: string;
}

/** The answer is what one of several constraints asks for. */
export interface EitherConstraint {
  /** Tells the kinds of constraint apart. */
  readonly type: 'either';
  /** At least one; none of them is of this kind itself. */
  readonly alternatives: readonly [SingleConstraint, ...SingleConstraint[]];
}

/** Every kind of constraint but alternatives. */
export type SingleConstraint =
  | JsonSchemaConstraint
  | JsonObjectConstraint
  | RegexConstraint
  | ChoiceConstraint
  | GrammarConstraint
  | TaggedConstraint;

/** What an answer has to be; whoever gives none gets any text. */
export type Constraint = SingleConstraint | EitherConstraint;
