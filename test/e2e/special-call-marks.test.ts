/** Models whose tokenizer has the marks of calls as special tokens, which are no text of an answer otherwise. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ChatDelta, type ChatOptions, type ToolStyle, Troupe } from '../../src/index.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

/** Special tokens of the pilot model that a text does without. */
const SPARE = { begin: 4, behind: 5 } as const;
const MARKS: Readonly<
  Record<Exclude<ToolStyle, 'llama'>, { readonly begin: string; readonly behind: string }>
> = {
  mistral: { begin: '[TOOL_CALLS]', behind: '[ARGS]' },
  'mistral-args': { begin: '[TOOL_CALLS]', behind: '[ARGS]' },
  hermes: { begin: '<tool_call>', behind: '</tool_call>' },
};

const parameters = {
  type: 'object',
  properties: { on: { type: 'boolean' } },
  required: ['on'],
  additionalProperties: false,
};
const asked: ChatOptions = {
  messages: [{ role: 'user', content: 'Light?' }],
  tools: [{ name: 'lamp', parameters }],
  parallelToolCalls: false,
  maxTokens: 80,
};
/** The model likes nothing better than to begin a call, by the token; where it may go on in letters it does not. */
const eager = { ...asked, logitBias: { [SPARE.begin]: 100, [SPARE.behind]: 50 } };

for (const [style, marks] of Object.entries(MARKS) as [keyof typeof MARKS, (typeof MARKS)['hermes']][]) {
  describe(`calls whose marks are special tokens, ${style}`, () => {
    let model: string;
    let troupe: Troupe;

    before(async () => {
      model = await mkdtemp(join(tmpdir(), 'troupe-marks-'));
      await cp(PILOT_MODEL, model, {
        recursive: true,
        filter: (source) => !source.includes('.troupe-cache'),
      });
      const file = join(model, 'tokenizer.json');
      const tokenizer = JSON.parse(await readFile(file, 'utf8'));
      for (const token of tokenizer.added_tokens as { id: number; content: string }[]) {
        const name =
          token.id === SPARE.begin ? marks.begin : token.id === SPARE.behind ? marks.behind : undefined;
        if (name === undefined) continue;
        delete tokenizer.model.vocab[token.content];
        token.content = name;
        tokenizer.model.vocab[name] = token.id;
      }
      await writeFile(file, JSON.stringify(tokenizer));
      troupe = await Troupe.start({ model, mode: 'aggregated', toolCallParser: style });
    });
    after(async () => {
      await troupe.stop();
      await rm(model, { recursive: true });
    });

    it('are made by the token, held to their schema, and found', async () => {
      const { tokenIds, toolCalls = [], text } = await troupe.chat(eager);
      assert.equal(tokenIds[0], SPARE.begin);
      if (style !== 'mistral') assert(tokenIds.includes(SPARE.behind));
      assert.deepEqual(
        toolCalls.map(({ name }) => name),
        ['lamp'],
      );
      assert.match(toolCalls[0]?.arguments ?? '', /^\{"on": ?(true|false)\}$/);
      assert(!text.includes(marks.begin));
    });

    it('are told while they come', async () => {
      const stream = troupe.stream(eager);
      const deltas: ChatDelta[] = [];
      for await (const delta of stream) deltas.push(delta);
      const pieces = deltas.flatMap(({ toolCalls = [] }) => toolCalls);
      assert.equal(pieces[0]?.name, 'lamp');
      const [call] = (await stream.result).toolCalls ?? [];
      assert.equal(pieces.map((piece) => piece.arguments).join(''), call?.arguments);
    });

    it('have no text where there are no tools', async () => {
      const { tools: _, parallelToolCalls: __, ...plain } = eager;
      const { tokenIds, text } = await troupe.chat({ ...plain, maxTokens: 3 });
      assert.deepEqual([tokenIds[0], text], [SPARE.begin, '']);
    });
  });
}
