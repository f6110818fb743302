/** What a model may be given to call, and what it called: as callers say it and as it travels from thread to thread. */
import type { JsonSchema } from '../constraint/constraint.ts';

/** A function that the model may call. It is the caller who runs it. */
export interface ToolDefinition {
  /** 1 to 128 letters, digits, `_`, `-` and `.`; no two of a request have the same. */
  readonly name: string;
  /** What it does and when to call it, for the model to read. */
  readonly description?: string;
  /** A JSON schema of an object, of which the arguments are one. Default: an object without properties. */
  readonly parameters?: JsonSchema;
}

/**
 * Whether the model calls: `auto` as it likes, `required` at least one, `none` as if there were no tools; the tool of
 * that name, once; or some of the tools alone.
 */
export type ToolChoice = 'none' | 'auto' | 'required' | NamedTool | AllowedTools;

/** The one tool that is to be called. */
export interface NamedTool {
  /** Of the tool. */
  readonly name: string;
}

/** Some of the tools, where the model is told of all: prompts with the same tools have their beginning in common. */
export interface AllowedTools {
  /** As the choice of the same name. */
  readonly mode: 'auto' | 'required';
  /** Of the tools that may be called, at least one. */
  readonly names: readonly string[];
}

/** A call that the model made. */
export interface ToolCall {
  /** Names it in the message that brings its result. */
  readonly id: string;
  /** Of the tool. */
  readonly name: string;
  /** A JSON object, as the model wrote it; cut short where the answer was. */
  readonly arguments: string;
}

/** A piece of a call. The first one of each has `id` and `name`. */
export interface ToolCallDelta {
  /** Which call of the answer, from 0. */
  readonly index: number;
  /** Names the call in the message that brings its result. */
  readonly id?: string;
  /** Of the tool. */
  readonly name?: string;
  /** More of the arguments' JSON; may be empty. */
  readonly arguments: string;
}

/** What a request says about tools. */
export interface ToolOptions {
  /** What the model may call, at most 128. Default: nothing. */
  readonly tools?: readonly ToolDefinition[];
  /** Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** Whether one answer may have several calls. Default true. */
  readonly parallelToolCalls?: boolean;
}
