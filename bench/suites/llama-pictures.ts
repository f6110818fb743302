/**
 * Questions about pictures, whole requests over HTTP, against llama.cpp's server with the same weights: the embedded model in 32 bits,
 * one caller and 16, each with a picture that nobody has seen before. llama.cpp is started with one thread and with as many as
 * cores; what counts is which of the two is faster.
 */
import process from 'node:process';
import { median } from 'simple-statistics';
import { startTroupe } from '../../scripts/soak/troupe-process.ts';
import { openModel } from '../../src/inspect/load-model.ts';
import { EMBEDDED_MODEL, THREADS } from '../embedded-model.ts';
import { goldenQuestions, onePictureRequests, RequestCycle } from '../golden-requests.ts';
import { inCrowd } from '../in-crowd.ts';
import { pictureGgufOf } from '../llama/make-gguf.ts';
import { longCalls, measure, ratioBetween, type Task, table } from '../measure.ts';
import { LLAMA_SERVER, startLlamaProcess } from '../peers/llama-server.ts';
import { userRequest } from '../peers/peer-request.ts';
import { askAboutPicture, type PictureRequest, pictureRequest } from '../peers/picture-request.ts';
import type { Claim, Suite, SuiteOptions, Table } from '../suite.ts';

const OURS = 'Troupe';
/** Of one request: a picture of 81 tokens, a question, an answer. */
const TOKENS = 320;
const LOADS = [
  { callers: 1, requests: 32, quick: 4 },
  { callers: 16, requests: 320, quick: 32 },
] as const;
const MOST_CALLERS = 16;
const ROUNDS = 5;

interface Side {
  readonly name: string;
  readonly url: string;
}

export const llamaPicturesSuite: Suite = {
  name: 'llama-pictures',
  description:
    'questions about pictures over HTTP, 1 and 16 callers, against the server that LLAMA_SERVER names',
  shows: 'with 16 callers >= 1.3x its requests a second, first token <= 1.2x its time',
  async run(options) {
    const program = process.env.LLAMA_SERVER;
    if (!program) return { skipped: 'LLAMA_SERVER does not say where a llama.cpp server is' };
    const model = await openModel({ model: EMBEDDED_MODEL, dtype: 'fp32', promptTemplate: undefined });
    const { decoder, vision } = await pictureGgufOf(model);
    await using stack = new AsyncDisposableStack();
    const sides: Side[] = [];
    for (const threads of new Set([1, THREADS])) {
      const size = { slots: MOST_CALLERS, tokens: TOKENS, threads };
      const { url, stop } = await startLlamaProcess(program, decoder, size, vision);
      stack.defer(stop);
      sides.push({ name: `${LLAMA_SERVER}, ${threads} threads`, url });
    }
    const { child, url } = await startTroupe(['serve', '--dtype', 'fp32', '--log-level', 'info']);
    stack.defer(() => void child.kill('SIGTERM'));
    sides.push({ name: OURS, url });
    const maker = new RequestMaker();
    const tables: Table[] = [];
    const claims = await equalAnswers(sides, await maker.mixed(options.quick ? 8 : 64));
    for (const load of LOADS) {
      const [whole, first] = await compare(sides, load, maker, options);
      tables.push(whole, first);
      if (load.callers > 1) claims.push(...claimsOf(whole, first));
    }
    return { tables, claims };
  },
};

/** Requests of which no two have the same picture. */
class RequestMaker {
  readonly #cycle = new RequestCycle(onePictureRequests);
  #made = 0;

  /** Questions of the test set, whichever pictures they were meant for. */
  async mixed(count: number): Promise<PictureRequest[]> {
    const asked = this.#cycle.take(count).map((request, index) => {
      const text = goldenQuestions[(7 * index) % goldenQuestions.length] ?? '';
      const images = request.messages.flatMap(({ content }) =>
        content.filter(({ type }) => type === 'image'),
      );
      return userRequest([...images, { type: 'text', text }], request.maxTokens);
    });
    return await Promise.all(asked.map((request) => pictureRequest(request, this.#made++)));
  }

  async take(count: number): Promise<PictureRequest[]> {
    return await Promise.all(this.#cycle.take(count).map((request) => pictureRequest(request, this.#made++)));
  }
}

async function compare(
  sides: readonly Side[],
  { callers, requests, quick }: (typeof LOADS)[number],
  maker: RequestMaker,
  options: SuiteOptions,
): Promise<readonly [whole: Table, first: Table]> {
  const count = options.quick ? quick : requests;
  const firstTokens = new Map(sides.map(({ name }) => [name, [] as number[]]));
  const task = ({ name, url }: Side): Task => ({
    name,
    operations: count,
    run: async () => {
      const asked = await maker.take(count);
      const since = performance.now();
      const answers = await inCrowd(asked, callers, (request) => askAboutPicture(url, request));
      const ms = performance.now() - since;
      firstTokens.get(name)?.push(median(answers.map(({ firstTokenMs }) => firstTokenMs)));
      return ms;
    },
  });
  for (const { url } of sides) {
    await inCrowd(await maker.take(callers), callers, (request) => askAboutPicture(url, request));
  }
  const [baseline, ...others] = sides.map(task);
  if (baseline === undefined) throw new Error('there is no side');
  const title = `Questions about pictures, ${callers === 1 ? 'one caller' : `${callers} callers`}, embedded model, fp32`;
  const whole = await measure(title, 'request', [baseline, ...others], options, longCalls(options, ROUNDS));
  const read = [...firstTokens].map(([name, roundsMs]) => ({ name, roundsMs }));
  return [whole, table(`Time to first token, ${title}`, 'first token', read)];
}

/** What is compared must do the same: texts of each llama.cpp against Troupe's, asked one after the other. */
async function equalAnswers(sides: readonly Side[], requests: readonly PictureRequest[]): Promise<Claim[]> {
  const texts = new Map<string, readonly string[]>();
  for (const { name, url } of sides) {
    const answers = await inCrowd(requests, 1, (request) => askAboutPicture(url, request));
    texts.set(
      name,
      answers.map(({ text }) => text.trim()),
    );
  }
  const ours = texts.get(OURS) ?? [];
  return [...texts]
    .filter(([name]) => name !== OURS)
    .map(([name, theirs]) => {
      const same = theirs.filter((text, index) => text === ours[index]).length;
      const text = `Answers of ${requests.length} about pictures that are the same, ${name}`;
      return { text, measured: (100 * same) / requests.length, unit: ' %', goal: { atLeast: 95 } };
    });
}

/** Against whichever number of threads serves llama.cpp better. */
function claimsOf(whole: Table, first: Table): Claim[] {
  const peers = whole.rows.filter(({ name }) => name !== OURS);
  const [best] = peers.toSorted((a, b) => a.medianMs - b.medianMs);
  const [soonest] = first.rows
    .filter(({ name }) => name !== OURS)
    .toSorted((a, b) => a.medianMs - b.medianMs);
  if (best === undefined || soonest === undefined) return [];
  return [
    {
      text: `${whole.title}, against ${best.name}`,
      measured: ratioBetween(whole, OURS, best.name),
      unit: '×',
      goal: { atLeast: 1.3 },
    },
    {
      text: `${first.title}, of that of ${soonest.name}`,
      measured: 1 / ratioBetween(first, OURS, soonest.name),
      unit: '×',
      goal: { atMost: 1.2 },
    },
  ];
}
