/**
 * Checks calls and their results in a conversation: whatever an answer called has to be followed by one result each, before
 * anybody says anything else. Templates pair them by their order, and would show the model a wrong pair without a word.
 */
import { InputError } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { shownValue } from '../shown-value.ts';

/** Of an id, in characters. */
const LONGEST_ID = 512;

type Message = Readonly<Record<string, unknown>>;

/**
 * @param messages objects with known roles
 * @throws InputError INVALID_TOOL_MESSAGES naming field, value and remedy
 */
export function validateToolMessages(messages: readonly Message[]): void {
  /** Called and without a result, by id: where. */
  let open = new Map<string, string>();
  for (const [index, message] of messages.entries()) {
    const field = `messages[${index}]`;
    if (message.role === 'tool') {
      takeResult(message.toolCallId, `${field}.toolCallId`, open);
      continue;
    }
    assertAnswered(open);
    open = callsOf(message, field);
  }
  assertAnswered(open);
}

function takeResult(id: unknown, field: string, open: Map<string, string>): void {
  if (typeof id === 'string' && open.delete(id)) return;
  const known = [...open.keys()].slice(0, 4).join(', ');
  const remedy =
    known === ''
      ? 'Put the result behind the answer with its call; each call has one result.'
      : `Give the id of a call before it that has no result yet: ${known}.`;
  throw invalid(field, id, 'is the id of no call', remedy);
}

function assertAnswered(open: ReadonlyMap<string, string>): void {
  const [first] = open;
  if (first === undefined) return;
  const [id, field] = first;
  throw invalid(field, id, 'has no result', `Add a message of a tool with toolCallId ${id} behind it.`);
}

/** Ids of a message's calls, and where they are. */
function callsOf(message: Message, path: string): Map<string, string> {
  const { toolCalls } = message;
  const open = new Map<string, string>();
  if (toolCalls === undefined) return open;
  const at = `${path}.toolCalls`;
  if (message.role !== 'assistant' || !Array.isArray(toolCalls)) {
    throw invalid(at, toolCalls, 'are no calls of an assistant', 'Give a list, in messages of an assistant.');
  }
  const list: readonly unknown[] = toolCalls;
  for (const [index, call] of list.entries()) {
    const field = `${at}[${index}]`;
    const id = assertCall(call, field);
    if (open.has(id)) throw invalid(`${field}.id`, id, 'comes twice', 'Give each call an id of its own.');
    open.set(id, field);
  }
  return open;
}

/** @returns its id */
function assertCall(call: unknown, field: string): string {
  if (!isRecord(call)) throw invalid(field, call, 'is no call', 'Give id, name and arguments.');
  const { id, name, arguments: given } = call;
  if (typeof id !== 'string' || id === '' || id.length > LONGEST_ID) {
    throw invalid(`${field}.id`, id, 'is no id', `Give 1 to ${LONGEST_ID} characters.`);
  }
  if (typeof name !== 'string' || name === '') {
    throw invalid(`${field}.name`, name, 'is no name', 'Give the name of the tool.');
  }
  if (typeof given !== 'string' || argumentsOf(given) === undefined) {
    throw invalid(`${field}.arguments`, given, 'is no JSON of an object', 'Give the text of a JSON object.');
  }
  return id;
}

/** The object that a call's arguments are; no text at all is no arguments. Undefined: they are none. */
export function argumentsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function invalid(field: string, value: unknown, problem: string, remedy: string): InputError {
  return new InputError('INVALID_TOOL_MESSAGES', problem, { field, value: shownValue(value), remedy });
}
