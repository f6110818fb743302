/** A client of a fleet: asks, reads or leaves, and looks whether the text is the right one. */

export type FleetEnding = 'equal' | 'different' | 'refused' | 'failed' | 'cut' | 'left' | 'unsettled';

export interface FleetOutcome {
  readonly ending: FleetEnding;
  /** Of what should not be. */
  readonly why?: string;
}

export interface FleetAsking {
  readonly body: object;
  readonly expected: string | undefined;
  readonly stream: boolean;
  /** When the client leaves, ms; undefined: it stays. */
  readonly leavesAfterMs: number | undefined;
}

const PATIENCE_MS = 120_000;

export async function askFleet(url: string, asking: FleetAsking): Promise<FleetOutcome & { text: string }> {
  const { body, expected, stream, leavesAfterMs } = asking;
  const leaving = new AbortController();
  const tooLong = AbortSignal.timeout(PATIENCE_MS);
  const timer = leavesAfterMs === undefined ? undefined : setTimeout(() => leaving.abort(), leavesAfterMs);
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, stream }),
      signal: AbortSignal.any([leaving.signal, tooLong]),
    });
    const said = await response.text();
    if (response.status === 429) return { ending: 'refused', text: '' };
    // Told to come again: clear, and safe to repeat.
    if (response.status === 503) return { ending: 'failed', why: said.slice(0, 200), text: '' };
    if (response.status !== 200)
      return { ending: 'different', why: `${response.status} ${said.slice(0, 200)}`, text: '' };
    if (stream && !said.endsWith('data: [DONE]\n\n'))
      return { ending: 'cut', why: said.slice(-200), text: '' };
    const text = stream ? streamed(said) : String(JSON.parse(said).choices[0].message.content);
    if (expected === undefined || text === expected) return { ending: 'equal', text };
    return {
      ending: 'different',
      why: `${JSON.stringify(body).slice(-120)}: ${differenceOf(text, expected)}`,
      text,
    };
  } catch (error) {
    if (leaving.signal.aborted) return { ending: 'left', text: '' };
    const why = tooLong.aborted ? 'no answer' : String(error);
    return { ending: tooLong.aborted ? 'unsettled' : 'cut', why, text: '' };
  } finally {
    clearTimeout(timer);
  }
}

function streamed(text: string): string {
  return text
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)).choices[0]?.delta?.content ?? '')
    .join('');
}

function differenceOf(text: string, expected: string): string {
  let at = 0;
  while (at < text.length && text[at] === expected[at]) at += 1;
  return `from character ${at} of ${expected.length}: ${JSON.stringify(text.slice(at, at + 40))}, not ${JSON.stringify(expected.slice(at, at + 40))}`;
}
