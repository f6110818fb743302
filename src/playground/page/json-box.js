/** A field that holds JSON, or nothing; what is wrong with it is said beside it. */
export class JsonBox {
  #field;
  #problem;
  #check;

  /**
   * @param {{ field: HTMLTextAreaElement, problem: HTMLElement, example: HTMLButtonElement }} parts
   * @param {unknown} example
   * @param {(value: any) => string} check what is wrong with a value that is JSON; '' for nothing
   */
  constructor({ field, problem, example: button }, example, check) {
    this.#field = field;
    this.#problem = problem;
    this.#check = check;
    field.addEventListener('input', () => this.#show());
    button.addEventListener('click', () => {
      field.value = JSON.stringify(example, null, 2);
      this.#show();
      field.focus();
    });
  }

  /**
   * @returns {any} undefined for nothing
   * @throws Error when it cannot be used
   */
  get value() {
    const { value, problem } = this.#read();
    if (problem !== '') throw new Error(problem);
    return value;
  }

  #read() {
    if (this.#field.value.trim() === '') return { value: undefined, problem: '' };
    try {
      const value = JSON.parse(this.#field.value);
      return { value, problem: this.#check(value) };
    } catch (error) {
      return { value: undefined, problem: `No JSON: ${error instanceof Error ? error.message : error}` };
    }
  }

  #show() {
    const { value, problem } = this.#read();
    this.#problem.textContent = problem === '' && value !== undefined ? 'fine' : problem;
    this.#field.setAttribute('aria-invalid', String(problem !== ''));
  }
}

/** @param {any} schema */
export function schemaProblem(schema) {
  const is = typeof schema === 'object' && schema !== null && !Array.isArray(schema);
  return is ? '' : 'A schema is an object.';
}

/** @param {any} tools */
export function toolsProblem(tools) {
  if (!Array.isArray(tools)) return 'Tools are a list.';
  return tools.every((tool) => typeof tool?.name === 'string') ? '' : 'Each tool needs a name.';
}
