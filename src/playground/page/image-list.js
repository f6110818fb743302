/** The images of the question: picked, dropped or pasted; each can be taken out again. */
export class ImageList {
  /** @type {{ url: string, name: string }[]} */
  #images = [];
  #list;
  #picker;
  #onError;

  /** @param {{ list: HTMLUListElement, picker: HTMLInputElement, drop: HTMLElement, onError: (message: string) => void }} parts */
  constructor({ list, picker, drop, onError }) {
    this.#list = list;
    this.#picker = picker;
    this.#onError = onError;
    picker.addEventListener('change', () => {
      void this.add(picker.files ?? []);
      picker.value = '';
    });
    document.addEventListener('paste', (event) => void this.add(event.clipboardData?.files ?? []));
    // Anywhere on the page: a file dropped beside the field would otherwise replace the page.
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      drop.classList.add('over');
    });
    document.addEventListener('dragleave', () => drop.classList.remove('over'));
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      drop.classList.remove('over');
      void this.add(event.dataTransfer?.files ?? []);
    });
  }

  /** As data: URLs, in order. */
  get urls() {
    return this.#images.map(({ url }) => url);
  }

  clear() {
    this.#images = [];
    this.#show();
  }

  /** @param {Iterable<File>} files */
  async add(files) {
    for (const file of files) {
      if (!file.type.startsWith('image/')) this.#onError(`${file.name} is no image.`);
      else this.#images.push({ url: await dataUrl(file), name: file.name || 'pasted image' });
    }
    this.#show();
  }

  #show() {
    this.#list.replaceChildren(...this.#images.map((image) => this.#item(image)));
  }

  /** @param {{ url: string, name: string }} image */
  #item(image) {
    const picture = document.createElement('img');
    picture.src = image.url;
    picture.alt = image.name;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'button';
    remove.textContent = '×';
    remove.setAttribute('aria-label', `Remove ${image.name}`);
    remove.addEventListener('click', () => {
      this.#images = this.#images.filter((other) => other !== image);
      this.#show();
      this.#picker.focus();
    });
    const item = document.createElement('li');
    item.append(picture, remove);
    return item;
  }
}

/**
 * @param {File} file
 * @returns {Promise<string>}
 */
function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(String(reader.result)));
    reader.addEventListener('error', () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
