import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as z from 'zod';
import { type ChatOptions, type Constraint, InputError, MODES, Troupe } from '../../src/index.ts';
import { defaultGoldenMessages, defaultGoldens } from '../support/default-golden.ts';

const Color = z.enum(['red', 'green', 'blue']);
const Point = z.strictObject({ x: z.int().min(0).max(99), y: z.int().min(0).max(99) });

/** Each accepts what the constraint made of it lets through. */
const SHAPES: readonly z.ZodType[] = [
  z.strictObject({ color: Color, count: z.int().min(0).max(9) }),
  z.array(Color).min(1).max(3),
  z.strictObject({ shape: z.literal('circle'), at: Point }),
  z.union([z.strictObject({ yes: z.boolean() }), z.strictObject({ no: z.boolean() })]),
  z.strictObject({ name: z.string().regex(/^[a-z]{2,8}$/), age: z.number().min(0).max(10).optional() }),
  z.tuple([z.int().min(1).max(5), z.boolean()]),
  z.strictObject({ day: z.iso.date() }),
  z.strictObject({ list: z.array(Point).min(1).max(2), none: z.null() }),
];

function request(index: number): ChatOptions {
  const golden = defaultGoldens[index];
  assert.ok(golden);
  return { messages: defaultGoldenMessages(golden) };
}

for (const mode of MODES) {
  describe(`constrained answers, ${mode}`, () => {
    let troupe: Troupe;
    before(async () => {
      troupe = await Troupe.start({ mode });
    });
    after(() => troupe.stop());

    it('16 at once, of 8 schemas and 8 without: each valid, and those without as they are alone', async () => {
      const alone: string[] = [];
      for (let index = 0; index < 8; index++) alone.push((await troupe.chat(request(index))).text);
      const free: Promise<string>[] = [];
      const bound: Promise<unknown>[] = [];
      for (const [index, shape] of SHAPES.entries()) {
        free.push(troupe.chat(request(index)).then(({ text }) => text));
        const { ...schema } = z.toJSONSchema(shape);
        const sampling = index % 2 === 0 ? {} : { temperature: 1.5, seed: index };
        const constraint = { type: 'json_schema' as const, schema };
        bound.push(
          troupe
            .chat({ ...request(index), ...sampling, maxTokens: 120, constraint })
            .then(({ text }) => JSON.parse(text)),
        );
      }
      assert.deepEqual(await Promise.all(free), alone);
      for (const [index, answer] of (await Promise.all(bound)).entries()) {
        const { success, error } = SHAPES[index]?.safeParse(answer) ?? {};
        assert.ok(success, `${JSON.stringify(answer)}: ${error?.message}`);
      }
    });

    for (const [constraint, expected] of [
      [{ type: 'choice', choices: ['a cat', 'a dog'] }, /^a (cat|dog)$/],
      [{ type: 'choice', choices: [' a cat', ' a dog'] }, /^ a (cat|dog)$/],
      [{ type: 'regex', pattern: '[0-9]{3}-[a-f]{2}' }, /^[0-9]{3}-[a-f]{2}$/],
      [{ type: 'regex', pattern: '\\s\\s[a-f]{2}' }, /^\s\s[a-f]{2}$/],
      [{ type: 'grammar', grammar: 'root ::= "sum " [1-9] "+" [1-9]' }, /^sum [1-9]\+[1-9]$/],
    ] as const satisfies [Constraint, RegExp][]) {
      it(`${JSON.stringify(constraint)}: all of the answer keeps to it`, async () => {
        const { choices } = await troupe.chat({ ...request(0), constraint, n: 2, temperature: 2, seed: 1 });
        for (const { text, finishReason } of choices) {
          assert.match(text, expected);
          assert.equal(finishReason, 'stop');
        }
      });
    }

    it('one that is cut by maxTokens says so', async () => {
      const constraint: Constraint = { type: 'regex', pattern: '[a-z]{50}' };
      const { text, finishReason } = await troupe.chat({ ...request(0), constraint, maxTokens: 3 });
      assert.equal(finishReason, 'length');
      assert.match(text, /^[a-z]{3,}$/);
    });

    it('one that cannot be honoured is refused before an image is opened', async () => {
      const constraint: Constraint = { type: 'regex', pattern: '(a' };
      const content = [{ type: 'image' as const, image: '/nowhere.png' }];
      await assert.rejects(troupe.chat({ messages: [{ role: 'user', content }], constraint }), (error) => {
        assert.ok(error instanceof InputError);
        assert.equal(error.code, 'CONSTRAINT_INVALID');
        assert.match(error.message, /^constraint\.pattern/);
        return true;
      });
    });
  });
}
