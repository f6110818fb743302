/** What a picture costs when the engine has seen it before: asked about again, or in a follow-up turn. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Troupe } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import { longCalls, type Measured, ratioOf, table } from '../measure.ts';
import { type PeerMessage, type PeerRequest, toChatOptions } from '../peers/peer-request.ts';
import { makePicture } from '../picture.ts';
import type { Suite } from '../suite.ts';
import { tileSideOf } from '../tile-side.ts';

const ANSWER_TOKENS = 16;
const ROWS = ['first time', 'same image, another question', 'first turn', 'follow-up turn'] as const;

export const repeatedImageSuite: Suite = {
  name: 'repeated-image',
  description: 'time to first token of an image seen before, and of a follow-up turn on it',
  shows: 'again <= 0.35x of the first time, follow-up <= 0.4x of the first turn',
  async run(options) {
    const model = await BenchModel.open(options, options.dtype ?? 'q4');
    const folder = await mkdtemp(join(tmpdir(), 'troupe-images-'));
    await using engine = await model.startTroupe();
    try {
      const tileSize = tileSideOf(model.directory);
      const { rounds } = longCalls(options, 5);
      const times: number[][] = ROWS.map(() => []);
      for (let round = -1; round < rounds; round++) {
        const paths = [join(folder, `${round}-a.png`), join(folder, `${round}-b.png`)] as const;
        for (const [index, path] of paths.entries()) await makePicture(path, tileSize, 2 * round + index);
        const measured = [...(await againOn(paths[0], engine)), ...(await followUpOn(paths[1], engine))];
        // The first turn only warms up.
        if (round >= 0) for (const [row, ms] of measured.entries()) times[row]?.push(ms);
      }
      const column = (row: number): Measured => ({ name: ROWS[row] ?? '', roundsMs: times[row] ?? [] });
      const again = table(`Time to first token, image again, ${model.label}`, 'request', [
        column(0),
        column(1),
      ]);
      const turns = table(`Time to first token, turns on one image, ${model.label}`, 'request', [
        column(2),
        column(3),
      ]);
      return {
        tables: [again, turns],
        claims: [
          {
            text: 'Time to first token of the same image again, against the first time',
            measured: 1 / ratioOf(again, ROWS[1]),
            unit: '×',
            goal: { atMost: 0.35 },
          },
          {
            text: 'Time to first token of a follow-up turn on the same image, against the first turn',
            measured: 1 / ratioOf(turns, ROWS[3]),
            unit: '×',
            goal: { atMost: 0.4 },
          },
        ],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function againOn(image: string, engine: Troupe): Promise<[number, number]> {
  const first = await ask(engine, [question('What is in this image?', image)]);
  const second = await ask(engine, [question('Is there a red ring on the left?', image)]);
  return [first.ms, second.ms];
}

async function followUpOn(image: string, engine: Troupe): Promise<[number, number]> {
  const opening = question('What is in this image?', image);
  const first = await ask(engine, [opening]);
  const answer: PeerMessage = { role: 'assistant', content: [{ type: 'text', text: first.text }] };
  const second = await ask(engine, [opening, answer, question('Where in the image is it?')]);
  return [first.ms, second.ms];
}

async function ask(engine: Troupe, messages: PeerRequest['messages']): Promise<{ ms: number; text: string }> {
  const { text, timings } = await engine.chat(toChatOptions({ messages, maxTokens: ANSWER_TOKENS }));
  return { ms: timings.timeToFirstTokenMs, text };
}

function question(text: string, image?: string): PeerMessage {
  const picture = image === undefined ? [] : [{ type: 'image', image } as const];
  return { role: 'user', content: [...picture, { type: 'text', text }] };
}
