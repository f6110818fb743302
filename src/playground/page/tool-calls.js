import { valueTree } from './value-tree.js';

/** @typedef {{ id: string, name: string, arguments: string }} Call */

/** What the model calls, with a field for what each call gives back. */
export class ToolCalls {
  #list;
  #onResults;
  /** @type {Call[]} */
  #calls = [];

  /** @param {HTMLOListElement} list @param {() => void} onResults results are to be given back */
  constructor(list, onResults) {
    this.#list = list;
    this.#onResults = onResults;
  }

  get calls() {
    return this.#calls;
  }

  clear() {
    this.#calls = [];
    this.#list.replaceChildren();
    this.#list.hidden = true;
  }

  /** @param {{ index: number, id?: string, function?: { name?: string, arguments?: string } }[]} pieces of a stream */
  add(pieces) {
    for (const { index, id, function: called } of pieces) {
      const call = this.#calls[index] ?? { id: '', name: '', arguments: '' };
      this.#calls[index] = {
        id: id ?? call.id,
        name: called?.name ?? call.name,
        arguments: call.arguments + (called?.arguments ?? ''),
      };
    }
    this.#list.hidden = this.#calls.length === 0;
    this.#list.replaceChildren(...this.#calls.map(headOf));
  }

  /** All calls are whole: they can be answered. */
  end() {
    if (this.#calls.length === 0) return;
    const items = this.#calls.map((call, i) => {
      const item = headOf(call);
      const label = document.createElement('label');
      const field = document.createElement('input');
      field.id = `result-${i}`;
      label.append(`Result of ${call.name} `, field);
      item.append(label);
      return item;
    });
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button small';
    button.textContent = 'Give back';
    button.addEventListener('click', () => this.#onResults());
    items.at(-1)?.append(button);
    this.#list.replaceChildren(...items);
  }

  /** As messages. */
  get results() {
    return this.#calls.map(({ id }, i) => {
      const field = this.#list.querySelector(`#result-${i}`);
      const content = field instanceof HTMLInputElement ? field.value : '';
      return { role: 'tool', tool_call_id: id, content };
    });
  }
}

/** @param {Call} call */
function headOf({ name, arguments: given }) {
  const item = document.createElement('li');
  const title = document.createElement('code');
  title.textContent = name;
  item.append(title);
  try {
    item.append(valueTree(JSON.parse(given)));
  } catch {
    item.append(` ${given}`); // not whole yet
  }
  return item;
}
