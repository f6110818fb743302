import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { compileConstraint } from '../../../actors/constraint/compile-constraint.ts';
import type { CompileThreadOptions } from '../../../actors/constraint/compile-thread.ts';
import type { Constraint, JsonSchema } from '../../../actors/constraint/constraint.ts';
import { ConstraintCompiler } from '../../../actors/constraint/constraint-compiler.ts';
import { InputError } from '../../../actors/errors.ts';
import { CHANNEL, FOR_EVER } from './support/held-compile-worker.ts';

const module = new URL('./support/held-compile-worker.ts', import.meta.url).href;
const NEVER = new AbortController().signal;
const small: Constraint = { type: 'choice', choices: ['yes', 'no'] };
/** Long enough for the thread, and quick. */
const large = (name: string): Constraint => ({
  type: 'choice',
  choices: [name, ...Array.from({ length: 2_000 }, (_, i) => `${name} ${i}`)],
});

describe('compiling constraints', { timeout: 300_000 }, () => {
  const channel = new BroadcastChannel(CHANNEL);
  const closing: ConstraintCompiler[] = [];
  after(async () => {
    channel.close();
    for (const compiler of closing) await compiler.close();
  });

  function compilerOf(thread: CompileThreadOptions = { module }) {
    const compiler = new ConstraintCompiler([], thread);
    closing.push(compiler);
    return (constraint: Constraint, signal = NEVER) => compiler.compile(constraint, 'r', signal);
  }
  /** The next constraint that the thread begins with. */
  async function begun(): Promise<unknown> {
    const [event] = await once(channel, 'message');
    return event.data;
  }
  const goOn = () => channel.postMessage('go on');

  it('a large one holds up no small one', async () => {
    const compile = compilerOf();
    const began = begun();
    const first = compile(large('a'));
    assert.equal(await began, 'a');
    assert.deepEqual((await compile(small)).grammar, compileConstraint(small));
    goOn();
    assert.deepEqual((await first).grammar, compileConstraint(large('a')));
  });

  it('is done once for all who ask for it, and kept', async () => {
    const compile = compilerOf();
    const heard: unknown[] = [];
    const began = begun();
    const both = [compile(large('a')), compile(large('a'))];
    heard.push(await began);
    goOn();
    const [one, other] = await Promise.all(both);
    assert.equal(one, other);
    assert.equal(await compile(large('a')), one);
    assert.deepEqual(heard, ['a']);
  });

  it('who leaves hears so at once, and what nobody waits for is left out', async () => {
    const compile = compilerOf();
    const began = begun();
    const first = compile(large('a'));
    assert.equal(await began, 'a');
    const leaving = new AbortController();
    const left = compile(large('b'), leaving.signal);
    const last = compile(large('c'));
    leaving.abort(new Error('left'));
    await assert.rejects(left, { message: 'left' });
    const next = begun();
    goOn();
    await first;
    assert.equal(await next, 'c');
    goOn();
    await last;
  });

  it('goes on for those who still wait when the one who came first leaves', async () => {
    const compile = compilerOf();
    const leaving = new AbortController();
    const began = begun();
    const left = compile(large('a'), leaving.signal);
    const stays = compile(large('a'));
    assert.equal(await began, 'a');
    leaving.abort(new Error('left'));
    await assert.rejects(left, { message: 'left' });
    goOn();
    assert.deepEqual((await stays).grammar, compileConstraint(large('a')));
  });

  it('one that takes too long is refused, and the next is compiled', async () => {
    const limits = [new AbortController(), new AbortController()];
    const [limit] = limits;
    const compile = compilerOf({ module, timeLimit: () => limits.shift()?.signal ?? NEVER });
    const began = begun();
    const endless = compile(large(FOR_EVER));
    assert.equal(await began, FOR_EVER);
    limit?.abort();
    await assert.rejects(endless, { code: 'CONSTRAINT_TOO_LARGE', message: /too long to compile/ });
    const again = begun();
    const next = compile(large('a'));
    await again;
    goOn();
    assert.deepEqual((await next).grammar, compileConstraint(large('a')));
  });

  describe('on the thread that is its own', () => {
    const compiler = new ConstraintCompiler([]);
    after(() => compiler.close());
    const wide = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`a${i}`, { type: 'string' }]));
    // Too long for the processor's own thread.
    const description = '…'.repeat(10_000);
    const refused: Readonly<Record<string, JsonSchema>> = {
      CONSTRAINT_UNSUPPORTED: { description, properties: { b: { unevaluatedItems: false } } },
      CONSTRAINT_INVALID: { description, properties: { b: { type: 'text' } } },
      CONSTRAINT_TOO_LARGE: { description, properties: { b: { pattern: '(a|b)*a(a|b){20}' } } },
    };
    for (const [code, schema] of Object.entries(refused)) {
      it(`${code}: the same words as anywhere`, async () => {
        const constraint: Constraint = { type: 'json_schema', schema };
        const message = messageOf(() => compileConstraint(constraint));
        await assert.rejects(compiler.compile(constraint, 'r', NEVER), { name: 'InputError', code, message });
      });
    }

    const tool = (name: string, parameters: JsonSchema) => ({ name, parameters });
    const failure = async (tools: readonly ReturnType<typeof tool>[]) => {
      const tags = tools.map(({ name, parameters: schema }) => ({
        begin: `<${name}>`,
        content: { type: 'json_schema' as const, schema },
        end: `</${name}>`,
      }));
      const constraint: Constraint = { type: 'tagged', tags };
      const error = await compiler.compile(constraint, 'r', NEVER).catch((thrown: unknown) => thrown);
      const { code, details } = await compiler.blamed(error, { tools }, NEVER).then(asInputError);
      return { code, field: details?.field };
    };
    it('names the tool whose parameters cannot be honoured', async () => {
      const bad = { type: 'object', properties: { b: { unevaluatedItems: false } } };
      assert.deepEqual(await failure([tool('a', { type: 'object' }), tool('b', bad)]), {
        code: 'CONSTRAINT_UNSUPPORTED',
        field: 'tools[1].parameters#/properties/b/unevaluatedItems',
      });
    });
    it('names all tools where none is too large alone', async () => {
      const some = { type: 'object', properties: wide };
      const tools = Array.from({ length: 12 }, (_, i) => tool(`t${i}`, some));
      assert.deepEqual(await failure(tools), { code: 'CONSTRAINT_TOO_LARGE', field: 'tools' });
    });
  });
});

function asInputError(error: unknown): InputError {
  return error instanceof InputError ? error : assert.fail(String(error));
}

function messageOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return assert.fail('it should have failed');
}
