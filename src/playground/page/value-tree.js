/**
 * A JSON value as nested lists that can be folded.
 *
 * @param {unknown} value
 * @param {string} [name] of the member that it is
 * @returns {HTMLElement}
 */
export function valueTree(value, name) {
  if (typeof value !== 'object' || value === null) return leaf(value, name);
  const isList = Array.isArray(value);
  const members = isList ? value.map((one, i) => [String(i), one]) : Object.entries(value);
  const summary = document.createElement('summary');
  const size = `${members.length} ${isList ? 'items' : 'fields'}`;
  summary.append(...label(name), kind(isList ? `list, ${size}` : `object, ${size}`));
  const list = document.createElement('ul');
  for (const [key, member] of members) {
    const item = document.createElement('li');
    item.append(valueTree(member, key));
    list.append(item);
  }
  const branch = document.createElement('details');
  branch.open = true;
  branch.append(summary, list);
  return branch;
}

/** @param {unknown} value @param {string | undefined} name */
function leaf(value, name) {
  const shown = document.createElement('span');
  shown.className = `value ${value === null ? 'null' : typeof value}`;
  shown.textContent = JSON.stringify(value);
  const line = document.createElement('span');
  line.append(...label(name), shown);
  return line;
}

/** @param {string | undefined} name */
function label(name) {
  if (name === undefined) return [];
  const key = document.createElement('span');
  key.className = 'key';
  key.textContent = name;
  return [key, ': '];
}

/** @param {string} text */
function kind(text) {
  const shown = document.createElement('span');
  shown.className = 'hint';
  shown.textContent = text;
  return shown;
}
