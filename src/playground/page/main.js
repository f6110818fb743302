// The playground: asks the server that it came from, in the way of any client of its API. No framework, nothing loaded
// from elsewhere; text from the model only ever becomes text.
import { Conversation } from './conversation.js';
import { eventData } from './event-data.js';
import { SCHEMA_EXAMPLE, TOOLS_EXAMPLE } from './examples.js';
import { ImageList } from './image-list.js';
import { JsonBox, schemaProblem, toolsProblem } from './json-box.js';
import { showFacts } from './show-facts.js';
import { TokenText } from './token-text.js';
import { ToolCalls } from './tool-calls.js';
import { valueTree } from './value-tree.js';
import { watchHealth } from './watch-health.js';

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no #${id}`);
}

const form = element('ask', HTMLFormElement);
const question = element('question', HTMLTextAreaElement);
const send = element('send', HTMLButtonElement);
const stop = element('stop', HTMLButtonElement);
const anew = element('new', HTMLButtonElement);
const copy = element('copy', HTMLButtonElement);
const asked = element('asked', HTMLParagraphElement);
const answer = element('answer', HTMLDivElement);
const tree = element('tree', HTMLDivElement);
const errorLine = element('error', HTMLParagraphElement);
const facts = element('facts', HTMLDListElement);
const field = (/** @type {string} */ id) => element(id, HTMLInputElement).value;
const box = (/** @type {string} */ id) => ({
  field: element(id, HTMLTextAreaElement),
  problem: element(`${id}-problem`, HTMLSpanElement),
  example: element(`${id}-example`, HTMLButtonElement),
});

const images = new ImageList({
  list: element('images', HTMLUListElement),
  picker: element('files', HTMLInputElement),
  drop: element('drop', HTMLDivElement),
  onError: showError,
});
const schema = new JsonBox(box('schema'), SCHEMA_EXAMPLE, schemaProblem);
const tools = new JsonBox(box('tools'), TOOLS_EXAMPLE, toolsProblem);
const conversation = new Conversation(element('turns', HTMLOListElement));
const text = new TokenText(answer, element('likely', HTMLDivElement));
const calls = new ToolCalls(element('calls', HTMLOListElement), () => void ask(calls.results));
/** @type {AbortController | undefined} */
let running;
/** The last turn, until the next one begins. @type {object[]} */
let lastAsked = [];
/** Results of calls that no request has brought yet. @type {object[]} */
let owed = [];

/** @param {string} message */
function showError(message) {
  errorLine.textContent = message;
  errorLine.hidden = message === '';
}

/** @param {boolean} busy */
function setBusy(busy) {
  answer.setAttribute('aria-busy', String(busy));
  send.disabled = busy;
  stop.disabled = !busy;
  copy.disabled = answer.textContent === '';
  anew.hidden = busy || (lastAsked.length === 0 && conversation.isEmpty);
}

/** What the form asks. */
function userMessage() {
  const pictures = images.urls.map((url) => ({ type: 'image_url', image_url: { url } }));
  return { role: 'user', content: [...pictures, { type: 'text', text: question.value }] };
}

/** @param {object[]} messages of this turn */
function requestBody(messages) {
  const system = field('system');
  const number = (/** @type {string} */ id) => (field(id) === '' ? undefined : Number(field(id)));
  const [wanted, offered] = [schema.value, tools.value];
  const before = system === '' ? [] : [{ role: 'system', content: system }];
  return {
    messages: [...before, ...conversation.messages, ...messages],
    max_completion_tokens: number('max-tokens'),
    temperature: number('temperature'),
    seed: number('seed'),
    ...(wanted === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema',
            json_schema: { name: 'answer', strict: true, schema: wanted },
          },
        }),
    ...(offered === undefined
      ? {}
      : {
          tools: offered.map((/** @type {object} */ one) => ({ type: 'function', function: one })),
          tool_choice: element('tool-choice', HTMLSelectElement).value,
        }),
    ...(element('logprobs', HTMLInputElement).checked ? { logprobs: true, top_logprobs: 5 } : {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** The last turn becomes one of the earlier ones. */
function archive() {
  if (lastAsked.length === 0) return;
  const before = document.createElement('p');
  before.className = 'asked';
  before.append(...Array.from(asked.childNodes, (node) => node.cloneNode(true)));
  const said = document.createElement('p');
  const called = calls.calls.map(({ name, arguments: given }) => `${name}(${given})`);
  said.textContent = [answer.textContent, ...called].filter((one) => one !== '').join('\n');
  const tool_calls = calls.calls.map(({ id, ...called }) => ({ id, type: 'function', function: called }));
  const content = answer.textContent;
  conversation.add(lastAsked, { content, ...(tool_calls.length > 0 ? { tool_calls } : {}) }, [before, said]);
  lastAsked = [];
}

/** @param {object[]} results of tools, instead of a question */
async function ask(results = []) {
  running = new AbortController();
  const { signal } = running;
  // Calls that nobody answered are answered with what their fields hold: behind a call its result has to come.
  owed.push(...(results.length > 0 ? results : calls.results));
  const said = results.length > 0 ? [] : [userMessage()];
  archive();
  const messages = [...owed, ...said];
  showAsked(results.length > 0);
  text.clear();
  calls.clear();
  tree.hidden = true;
  facts.replaceChildren();
  showError('');
  setBusy(true);
  try {
    const key = field('key');
    const response = await fetch('/v1/chat/completions', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(requestBody(messages)),
      signal,
    });
    if (!response.ok || response.body === null) throw new Error(await errorOf(response));
    await show(response.body);
    lastAsked = messages;
    owed = [];
    calls.end();
    if (results.length === 0) clearForm();
  } catch (error) {
    if (!signal.aborted) showError(error instanceof Error ? error.message : String(error));
  } finally {
    running = undefined;
    setBusy(false);
  }
}

/** @param {boolean} resultsOnly */
function showAsked(resultsOnly) {
  const pictures = images.urls.map((url) => {
    const picture = document.createElement('img');
    picture.src = url;
    picture.className = 'thumb';
    picture.alt = '';
    return picture;
  });
  asked.replaceChildren(...(resultsOnly ? ['Results of the calls'] : [...pictures, question.value]));
  asked.hidden = false;
}

/** What was asked is a part of the conversation now. */
function clearForm() {
  question.value = '';
  images.clear();
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body */
async function show(body) {
  /** @type {any} */
  let details;
  let ended = '';
  for await (const data of eventData(body)) {
    if (data === '[DONE]') {
      showTree();
      return;
    }
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Error(chunk.error.message);
    const choice = chunk.choices[0];
    // Tokens of calls come without text.
    const said = choice?.delta?.content ?? '';
    if (said !== '') text.append(said, choice?.logprobs?.content ?? []);
    ended = choice?.finish_reason ?? ended;
    if (choice?.delta?.tool_calls) calls.add(choice.delta.tool_calls);
    details = chunk.troupe ?? details;
    if (chunk.usage) showFacts(facts, { ...chunk.usage, ended }, details);
  }
  throw new Error('The answer broke off.');
}

/** Of an answer that was to keep to a schema, and is whole. */
function showTree() {
  if (schema.value === undefined) return;
  try {
    tree.replaceChildren(valueTree(JSON.parse(answer.textContent)));
    tree.hidden = false;
  } catch {
    // Cut short: its text is all that there is.
  }
}

/** @param {Response} response */
async function errorOf(response) {
  const text = await response.text();
  try {
    return `${JSON.parse(text).error.message} (${response.status})`;
  } catch {
    return `The server answered with status ${response.status}.`;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (running === undefined) void ask();
});
stop.addEventListener('click', () => running?.abort());
anew.addEventListener('click', () => {
  [lastAsked, owed] = [[], []];
  conversation.clear();
  text.clear();
  calls.clear();
  facts.replaceChildren();
  for (const part of [tree, asked]) part.hidden = true;
  showError('');
  setBusy(false);
  question.focus();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
copy.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(answer.textContent);
    copy.textContent = 'Copied';
  } catch {
    copy.textContent = 'Not copied';
  }
  setTimeout(() => {
    copy.textContent = 'Copy';
  }, 1500);
});

watchHealth({
  status: element('status', HTMLParagraphElement),
  model: element('model', HTMLParagraphElement),
  actors: element('actors', HTMLTableSectionElement),
  requests: element('requests', HTMLParagraphElement),
});
question.focus();
