/** The turns before the one that is being asked: as messages of the API, and as people read them. */
export class Conversation {
  /** @type {object[]} */
  #messages = [];
  #list;

  /** @param {HTMLOListElement} list */
  constructor(list) {
    this.#list = list;
  }

  get messages() {
    return this.#messages;
  }

  get isEmpty() {
    return this.#messages.length === 0;
  }

  clear() {
    this.#messages = [];
    this.#list.replaceChildren();
  }

  /**
   * @param {object[]} asked messages of the turn
   * @param {{ content: string, tool_calls?: object[] }} said
   * @param {Node[]} shown
   */
  add(asked, said, shown) {
    this.#messages.push(...asked, { role: 'assistant', ...said });
    const item = document.createElement('li');
    item.className = 'turn';
    item.append(...shown);
    this.#list.append(item);
  }
}
