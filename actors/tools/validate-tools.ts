/** Checks what a request says about tools, before anything is made of it: it may come from plain JavaScript. */

import { InputError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { shownValue } from '../shown-value.ts';
import type { ToolChoice, ToolDefinition, ToolOptions } from './tool-types.ts';

const MAX_TOOLS = 128;
const NAME = /^[\w.-]{1,128}$/;
const NAME_REMEDY = 'Give 1 to 128 letters, digits, _, - and .';

/** Known fields only, every one decided. */
export type CheckedTools = Required<ToolOptions>;

/** @throws InputError INVALID_TOOLS naming field, value and remedy */
export function validateTools(options: ToolOptions): CheckedTools {
  const tools = toolsOf(options.tools ?? []);
  const parallel: unknown = options.parallelToolCalls ?? true;
  if (typeof parallel !== 'boolean') {
    throw invalid('parallelToolCalls', parallel, 'is no answer to whether', 'Give true or false.');
  }
  return { tools, toolChoice: choiceOf(options.toolChoice ?? 'auto', tools), parallelToolCalls: parallel };
}

function toolsOf(tools: unknown): ToolDefinition[] {
  if (!Array.isArray(tools) || tools.length > MAX_TOOLS) {
    throw invalid('tools', tools, 'is no list of tools', `Give a list of at most ${MAX_TOOLS} tools.`);
  }
  const list: readonly unknown[] = tools;
  const names = new Set<string>();
  return list.map((tool, index) => {
    const checked = toolOf(tool, `tools[${index}]`);
    if (!names.has(checked.name)) names.add(checked.name);
    else throw invalid(`tools[${index}].name`, checked.name, 'comes twice', 'Give each tool another name.');
    return checked;
  });
}

function toolOf(tool: unknown, field: string): ToolDefinition {
  if (!isRecord(tool)) throw invalid(field, tool, 'is no tool', 'Give an object with a name.');
  const { name, description, parameters } = tool;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw invalid(`${field}.name`, name, 'is no name', NAME_REMEDY);
  }
  if (description !== undefined && typeof description !== 'string') {
    throw invalid(`${field}.description`, description, 'is no text', 'Give a string, or leave it out.');
  }
  if (parameters !== undefined && !isObjectSchema(parameters)) {
    const remedy = 'Give a JSON schema with "type": "object", or leave it out.';
    throw invalid(`${field}.parameters`, parameters, 'is no schema of an object', remedy);
  }
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

/** Arguments are an object in every way of writing calls. */
function isObjectSchema(schema: unknown): schema is Readonly<Record<string, unknown>> {
  return isRecord(schema) && !Array.isArray(schema) && (schema.type ?? 'object') === 'object';
}

function choiceOf(choice: unknown, tools: readonly ToolDefinition[]): ToolChoice {
  if (choice === 'none' || choice === 'auto') return choice;
  const remedy = 'Give none, auto, required, { name } of one of the tools, or { mode, names } of some.';
  if (choice === 'required' && tools.length > 0) return choice;
  if (choice === 'required') throw invalid('toolChoice', choice, 'needs tools', 'Give tools, or auto.');
  if (isRecord(choice) && choice.names !== undefined) return allowedOf(choice, tools);
  const name = isRecord(choice) ? choice.name : undefined;
  if (typeof name !== 'string') throw invalid('toolChoice', choice, 'is no choice', remedy);
  if (tools.some((tool) => tool.name === name)) return { name };
  throw invalid('toolChoice.name', name, 'is the name of no tool', remedy);
}

function allowedOf(
  { mode = 'auto', names }: Readonly<Record<string, unknown>>,
  tools: readonly ToolDefinition[],
): ToolChoice {
  if (mode !== 'auto' && mode !== 'required')
    throw invalid('toolChoice.mode', mode, 'is no mode', 'Give auto or required.');
  const list: readonly unknown[] = Array.isArray(names) ? names : [];
  const remedy = 'Give a list of names of the tools, at least one.';
  if (list.length === 0) throw invalid('toolChoice.names', names, 'is no list of names', remedy);
  const known = list.map((name, index) => {
    const tool = tools.find((one) => one.name === name);
    if (tool !== undefined) return tool.name;
    throw invalid(`toolChoice.names[${index}]`, name, 'is the name of no tool', remedy);
  });
  return { mode, names: known };
}

function invalid(field: string, value: unknown, problem: string, remedy: string): InputError {
  return new InputError('INVALID_TOOLS', problem, { field, value: shownValue(value), remedy });
}
