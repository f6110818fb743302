/** What a chat completion request says about tools, as one of ours says it. */
import type { ToolChoice, ToolOptions } from '../../../actors/tools/tool-types.ts';
import { badRequest } from './api-error.ts';
import {
  accepted,
  type FieldRules,
  honoured,
  isGiven,
  isJsonObject,
  type JsonObject,
  oneOf,
} from './field-rule.ts';
import { checkFieldsOf } from './message-fields.ts';

export const TOOL_FIELDS: FieldRules = {
  type: oneOf('function'),
  function: honoured('name, description, parameters, strict'),
  cache_control: accepted('prompts are cached by their content alone'),
};

export const FUNCTION_FIELDS: FieldRules = {
  name: honoured('1 to 128 letters, digits, _, - and .'),
  description: honoured('what it does, for the model to read'),
  parameters: honoured('a JSON schema of an object'),
  strict: accepted('arguments are always held to their schema'),
};

const NO_CHOICE = 'must be none, auto, required or {"type":"function","function":{"name":…}}';
const ALLOWED = 'tool_choice.allowed_tools';

/**
 * @returns values that are not checked further: `validateTools` takes nothing for granted
 * @throws ApiError 400 naming the field
 */
export function parseTools(fields: JsonObject, clientFields: Map<string, string>): ToolOptions {
  const { tools, tool_choice: choice, parallel_tool_calls: parallel } = fields;
  return {
    ...(tools === undefined ? {} : { tools: toolsOf(tools, clientFields) }),
    ...(choice === undefined ? {} : { toolChoice: choiceOf(choice, clientFields) }),
    ...(parallel === undefined ? {} : { parallelToolCalls: flagOf(parallel) }),
  };
}

function toolsOf(tools: unknown, clientFields: Map<string, string>): NonNullable<ToolOptions['tools']> {
  if (!Array.isArray(tools)) throw badRequest('invalid_type', 'tools', 'must be a list');
  const list: readonly unknown[] = tools;
  return list.map((tool, index) => {
    const field = `tools[${index}]`;
    if (!isJsonObject(tool)) throw badRequest('invalid_type', field, 'must be an object');
    if (tool.type !== 'function') throw badRequest('unsupported_value', `${field}.type`, 'must be function');
    checkFieldsOf(tool, TOOL_FIELDS, field);
    const called = tool.function;
    if (!isJsonObject(called)) throw badRequest('invalid_type', `${field}.function`, 'must be an object');
    checkFieldsOf(called, FUNCTION_FIELDS, `${field}.function`);
    clientFields.set(field, `${field}.function`);
    const { name, description, parameters } = called;
    return {
      name,
      ...(isGiven(description) ? { description } : {}),
      ...(isGiven(parameters) ? { parameters } : {}),
    } as NonNullable<ToolOptions['tools']>[number]; // of unchecked values
  });
}

function choiceOf(choice: unknown, clientFields: Map<string, string>): ToolChoice {
  if (choice === 'none' || choice === 'auto' || choice === 'required') return choice;
  if (!isJsonObject(choice)) throw badRequest('unsupported_value', 'tool_choice', NO_CHOICE);
  if (choice.type === 'allowed_tools') return allowedOf(choice.allowed_tools, clientFields);
  if (choice.type !== 'function')
    throw badRequest('unsupported_value', 'tool_choice.type', 'must be function or allowed_tools');
  const name = isJsonObject(choice.function) ? choice.function.name : undefined;
  clientFields.set('toolChoice.name', 'tool_choice.function.name');
  if (typeof name === 'string') return { name };
  throw badRequest('invalid_type', 'tool_choice.function.name', 'must be a string');
}

/** @returns values that are not checked further, as those of tools */
function allowedOf(allowed: unknown, clientFields: Map<string, string>): ToolChoice {
  if (!isJsonObject(allowed)) throw badRequest('invalid_type', ALLOWED, 'must be an object');
  const { mode, tools } = allowed;
  if (!Array.isArray(tools)) throw badRequest('invalid_type', `${ALLOWED}.tools`, 'must be a list');
  const list: readonly unknown[] = tools;
  clientFields.set('toolChoice.mode', `${ALLOWED}.mode`);
  clientFields.set('toolChoice.names', `${ALLOWED}.tools`);
  const names = list.map((tool, index) => {
    const field = `${ALLOWED}.tools[${index}]`;
    clientFields.set(`toolChoice.names[${index}]`, `${field}.function.name`);
    if (!isJsonObject(tool)) throw badRequest('invalid_type', field, 'must be an object');
    if (tool.type !== 'function') throw badRequest('unsupported_value', `${field}.type`, 'must be function');
    const name = isJsonObject(tool.function) ? tool.function.name : undefined;
    if (typeof name === 'string') return name;
    throw badRequest('invalid_type', `${field}.function.name`, 'must be a string');
  });
  return { mode, names } as ToolChoice; // of unchecked values
}

function flagOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw badRequest('invalid_type', 'parallel_tool_calls', 'must be true or false');
}
