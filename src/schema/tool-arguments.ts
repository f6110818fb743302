/** Tools whose arguments have a type, and the way from a call to them. */
import { InputError } from '../../actors/errors.ts';
import type { ToolCall, ToolDefinition } from '../../actors/tools/tool-types.ts';
import type { AnySchema, SchemaOutput } from './any-schema.ts';
import { checkedValue } from './checked-value.ts';

/** A function that the model may call, with the schema of its arguments as the caller has it. */
export interface Tool<Schema extends AnySchema = AnySchema> extends Omit<ToolDefinition, 'parameters'> {
  /** Of an object, of which the arguments are one. Default: an object without properties. */
  readonly parameters?: Schema;
}

const ERRORS = {
  incomplete: 'TOOL_ARGUMENTS_INCOMPLETE',
  invalid: 'TOOL_ARGUMENTS_INVALID',
  what: 'the arguments of the call',
} as const;

/**
 * The arguments of a call, checked by the tool's schema and of its type.
 *
 * @example
 * ```ts
 * import { toolArguments, Troupe } from 'troupe';
 * import { z } from 'zod';
 *
 * const weather = { name: 'weather', parameters: z.object({ city: z.string() }) };
 * await using troupe = await Troupe.start();
 * const messages = [{ role: 'user', content: 'Is it raining in Oslo?' }] as const;
 * const { toolCalls = [] } = await troupe.chat({ messages, tools: [weather], toolChoice: 'required' });
 * for (const call of toolCalls) {
 *   const { city } = await toolArguments(weather, call);
 *   console.log(city);
 * }
 * ```
 *
 * @throws InputError `INVALID_TOOLS` when the call is of another tool; TroupeError `TOOL_ARGUMENTS_INCOMPLETE` of a call that
 *   was cut short, `TOOL_ARGUMENTS_INVALID` of arguments that the schema does not take
 */
export async function toolArguments<Schema extends AnySchema>(
  tool: Tool<Schema>,
  call: ToolCall,
): Promise<SchemaOutput<Schema>> {
  if (call.name !== tool.name) {
    const remedy = `Give a call of ${tool.name}.`;
    throw new InputError('INVALID_TOOLS', 'is the call of another tool', {
      field: 'call.name',
      value: call.name,
      remedy,
    });
  }
  const value = await checkedValue(call.arguments, tool.parameters, ERRORS);
  return value as SchemaOutput<Schema>; // which the schema has checked
}
