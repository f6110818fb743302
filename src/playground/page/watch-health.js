// The actors and their load, looked at again and again while somebody looks at the page.

const PAUSE_MS = 1000;

/**
 * @typedef {object} Places
 * @property {HTMLElement} status
 * @property {HTMLElement} model
 * @property {HTMLTableSectionElement} actors
 * @property {HTMLElement} requests
 */

/** @param {Places} places */
export function watchHealth(places) {
  const look = async () => {
    if (!document.hidden) await lookOnce(places);
    setTimeout(look, PAUSE_MS);
  };
  void look();
}

/** @param {Places} places */
async function lookOnce({ status, model, actors, requests }) {
  try {
    const response = await fetch('/health');
    const health = await response.json();
    setText(status, health.status);
    status.dataset.state = health.status;
    setText(model, `${health.model}, ${health.mode}`);
    actors.replaceChildren(...health.actors.map(row));
    const { running, maxRunning, waiting, maxWaiting } = health.requests;
    setText(requests, `${running} of ${maxRunning} requests running, ${waiting} of ${maxWaiting} waiting`);
  } catch {
    setText(status, 'not reachable');
    status.dataset.state = 'failed';
  }
}

/** Told to screen readers only when it changes. @param {HTMLElement} place @param {string} text */
function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** @param {{ name: string, state: string, restarts: number, load?: { running: number, queueDepth: number, freeSlots: number } }} actor */
function row({ name, state, restarts, load }) {
  const { running = 0, queueDepth = 0, freeSlots = 0 } = load ?? {};
  const meter = document.createElement('meter');
  meter.max = Math.max(1, running + freeSlots);
  meter.value = running;
  meter.setAttribute('aria-label', `Load of ${name}`);
  const heading = document.createElement('th');
  heading.scope = 'row';
  heading.textContent = name;
  const line = document.createElement('tr');
  line.append(heading, cell(state), cell(meter), cell(running), cell(queueDepth), cell(restarts));
  return line;
}

/** @param {string | number | HTMLElement} content */
function cell(content) {
  const made = document.createElement('td');
  if (typeof content === 'number') made.className = 'number';
  made.append(typeof content === 'number' ? String(content) : content);
  return made;
}
