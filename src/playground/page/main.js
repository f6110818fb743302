// The playground: asks the server that it came from, in the way of any client of its API. No framework, nothing loaded
// from elsewhere; text from the model only ever becomes text.
import { eventData } from './event-data.js';
import { ImageList } from './image-list.js';
import { showFacts } from './show-facts.js';
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
const copy = element('copy', HTMLButtonElement);
const answer = element('answer', HTMLDivElement);
const errorLine = element('error', HTMLParagraphElement);
const facts = element('facts', HTMLDListElement);
const field = (/** @type {string} */ id) => element(id, HTMLInputElement).value;

const images = new ImageList({
  list: element('images', HTMLUListElement),
  picker: element('files', HTMLInputElement),
  drop: element('drop', HTMLDivElement),
  onError: showError,
});
/** @type {AbortController | undefined} */
let running;

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
}

function requestBody() {
  const content = [
    ...images.urls.map((url) => ({ type: 'image_url', image_url: { url } })),
    { type: 'text', text: question.value },
  ];
  const system = field('system');
  const number = (/** @type {string} */ id) => (field(id) === '' ? undefined : Number(field(id)));
  return {
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), { role: 'user', content }],
    max_completion_tokens: number('max-tokens'),
    temperature: number('temperature'),
    seed: number('seed'),
    stream: true,
    stream_options: { include_usage: true },
  };
}

async function ask() {
  running = new AbortController();
  const { signal } = running;
  answer.textContent = '';
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
      body: JSON.stringify(requestBody()),
      signal,
    });
    if (!response.ok || response.body === null) throw new Error(await errorOf(response));
    await show(response.body);
  } catch (error) {
    if (!signal.aborted) showError(error instanceof Error ? error.message : String(error));
  } finally {
    running = undefined;
    setBusy(false);
  }
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body */
async function show(body) {
  /** @type {any} */
  let details;
  for await (const data of eventData(body)) {
    if (data === '[DONE]') return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Error(chunk.error.message);
    answer.append(chunk.choices[0]?.delta?.content ?? '');
    details = chunk.troupe ?? details;
    if (chunk.usage) showFacts(facts, chunk.usage, details);
  }
  throw new Error('The answer broke off.');
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
