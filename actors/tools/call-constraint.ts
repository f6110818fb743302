/** What holds a model to its tools: from where a call begins, only known names and arguments that their schema accepts. */
import type { ConstrainedTag, JsonSchema, TaggedConstraint } from '../constraint/constraint.ts';
import { callableTools } from './callable-tools.ts';
import { movedSchema } from './moved-schema.ts';
import type { ToolStyle } from './tool-style.ts';
import { toolSyntax } from './tool-syntax.ts';
import type { ToolDefinition } from './tool-types.ts';
import type { CheckedTools } from './validate-tools.ts';

const NO_PARAMETERS: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };

/** Undefined where there is nothing to call. */
export function callConstraint(
  style: ToolStyle,
  { tools, toolChoice, parallelToolCalls }: CheckedTools,
): TaggedConstraint | undefined {
  const offered = callableTools(tools, toolChoice);
  if (offered.length === 0) return undefined;
  const mode = typeof toolChoice === 'object' && 'mode' in toolChoice ? toolChoice.mode : toolChoice;
  const single = typeof mode === 'object' || !parallelToolCalls;
  return {
    type: 'tagged',
    tags: tagsOf(style, offered, single),
    ...(mode === 'auto' ? {} : { required: true, separator: toolSyntax(style).separator }),
    // A list of calls is one passage.
    ...(single || style === 'mistral' ? { maxTags: 1 } : {}),
  };
}

function tagsOf(style: ToolStyle, tools: readonly ToolDefinition[], single: boolean): ConstrainedTag[] {
  switch (style) {
    case 'hermes': {
      const schema = oneOfThem(tools, '#');
      const content = { type: 'json_schema', schema } as const;
      return [{ begin: '<tool_call>\n', content, end: '\n</tool_call>' }];
    }
    case 'mistral': {
      const items = oneOfThem(tools, '#/items');
      const schema = { type: 'array', items, minItems: 1, ...(single ? { maxItems: 1 } : {}) };
      return [{ begin: '[TOOL_CALLS]', content: { type: 'json_schema', schema }, end: '' }];
    }
    case 'mistral-args':
      return tools.map((tool) => tag(`[TOOL_CALLS]${tool.name}[ARGS]`, tool, ''));
    case 'llama':
      return tools.map((tool) => tag(`{"name": "${tool.name}", "parameters": `, tool, '}'));
    default:
      return style satisfies never;
  }
}

function tag(begin: string, { parameters }: ToolDefinition, end: string): ConstrainedTag {
  return { begin, content: { type: 'json_schema', schema: objectSchema(parameters) }, end };
}

/** @param path of the schema in its document */
function oneOfThem(tools: readonly ToolDefinition[], path: string): JsonSchema {
  const calls = tools.map(({ name, parameters }, index) => ({
    type: 'object',
    properties: {
      name: { const: name },
      arguments: movedSchema(objectSchema(parameters), `${path}/anyOf/${index}/properties/arguments`),
    },
    required: ['name', 'arguments'],
    additionalProperties: false,
  }));
  return { anyOf: calls };
}

/** Without a type it would accept more than an object. */
function objectSchema(parameters: JsonSchema = NO_PARAMETERS): JsonSchema {
  return typeof parameters === 'object' ? { ...parameters, type: 'object' } : parameters;
}
