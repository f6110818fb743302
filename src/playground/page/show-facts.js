/**
 * Usage and timings of an answer.
 *
 * @param {HTMLDListElement} list
 * @param {any} usage of the API, and how the answer `ended`
 * @param {any} details what this server adds: timings, mode, bytes between actors
 */
export function showFacts(list, usage, details) {
  const { image_tokens: images = 0 } = usage.prompt_tokens_details ?? {};
  const { timings, mode, bytes_between_actors: bytes } = details ?? {};
  const facts = [
    ['Prompt', `${usage.prompt_tokens} tokens`],
    ['for images', `${images} tokens`],
    ['Answer', `${usage.completion_tokens} tokens${usage.ended === 'length' ? ', cut short' : ''}`],
    ['First token', milliseconds(timings?.timeToFirstTokenMs)],
    ['Between tokens', milliseconds(timings?.interTokenMs)],
    ['Queue', milliseconds(timings?.queueMs)],
    ['Preprocess', milliseconds(timings?.preprocessMs)],
    ['Encode', milliseconds(timings?.encodeMs)],
    ['Prefill', milliseconds(timings?.prefillMs)],
    ['Total', milliseconds(timings?.totalMs)],
    ['Mode', mode ?? '–'],
    ['Pixels handed over', kibibytes(bytes?.pixels?.moved)],
  ];
  list.replaceChildren(...facts.map(([name = '', value = '']) => fact(name, value)));
}

/** @param {string} name @param {string} value */
function fact(name, value) {
  const term = document.createElement('dt');
  term.textContent = name;
  const detail = document.createElement('dd');
  detail.textContent = value;
  const group = document.createElement('div');
  group.append(term, detail);
  return group;
}

/** @param {number | undefined} ms */
function milliseconds(ms) {
  return ms === undefined ? '–' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** @param {number | undefined} bytes */
function kibibytes(bytes) {
  return bytes === undefined ? '–' : `${Math.round(bytes / 1024)} KiB`;
}
