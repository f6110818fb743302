/**
 * The answer's text, and how likely its tokens were: told of the one that the pointer is over, or that the arrow keys have
 * come to.
 */

/** @typedef {{ token: string, logprob: number, bytes: number[] | null }} Likely */
/** @typedef {Likely & { top_logprobs: Likely[] }} Token */

export class TokenText {
  #answer;
  #likely;
  #decoder = new TextDecoder();
  /** @type {HTMLElement | undefined} */
  #shown;
  /** @type {Map<Element, Token>} */
  #tokens = new Map();

  /** @param {HTMLElement} answer @param {HTMLElement} likely */
  constructor(answer, likely) {
    this.#answer = answer;
    this.#likely = likely;
    answer.addEventListener('pointerover', ({ target }) => this.#show(target));
    answer.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 'nextElementSibling', ArrowLeft: 'previousElementSibling' }[event.key];
      if (step === undefined || this.#tokens.size === 0) return;
      event.preventDefault();
      const next = step === 'nextElementSibling' ? 'nextElementSibling' : 'previousElementSibling';
      this.#show(this.#shown === undefined ? answer.firstElementChild : this.#shown[next]);
    });
  }

  clear() {
    this.#answer.textContent = '';
    this.#answer.removeAttribute('tabindex');
    this.#likely.hidden = true;
    this.#decoder = new TextDecoder();
    this.#tokens.clear();
    this.#shown = undefined;
  }

  /** @param {string} text @param {Token[]} tokens of it; none where they were not asked for */
  append(text, tokens) {
    if (tokens.length === 0) this.#answer.append(text);
    for (const token of tokens) {
      const bytes = new Uint8Array(token.bytes ?? []);
      const said = this.#decoder.decode(bytes, { stream: true });
      const span = document.createElement('span');
      span.className = 'token';
      span.dataset.likely = String(Math.min(4, Math.floor(Math.exp(token.logprob) * 5)));
      // White space before the answer is no part of it.
      span.textContent = this.#answer.textContent === '' ? said.trimStart() : said;
      this.#tokens.set(span, token);
      this.#answer.append(span);
      this.#answer.tabIndex = 0;
    }
  }

  /** @param {EventTarget | Element | null} target */
  #show(target) {
    const token = target instanceof HTMLElement ? this.#tokens.get(target) : undefined;
    if (token === undefined || !(target instanceof HTMLElement)) return;
    this.#shown?.classList.remove('shown');
    this.#shown = target;
    target.classList.add('shown');
    const others = token.top_logprobs.filter((one) => one.token !== token.token);
    const list = document.createElement('ul');
    for (const one of [token, ...others]) {
      const item = document.createElement('li');
      const text = document.createElement('code');
      text.textContent = JSON.stringify(one.token);
      item.append(text, ` ${(Math.exp(one.logprob) * 100).toFixed(1)} %`);
      list.append(item);
    }
    this.#likely.replaceChildren(list);
    this.#likely.hidden = false;
  }
}
