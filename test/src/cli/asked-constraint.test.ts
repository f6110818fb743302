import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { askedConstraint, constraintFlag } from '../../../src/cli/asked-constraint.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';
import { picturePath } from './support/pictures.ts';
import { runCli } from './support/run-cli.ts';

const SCHEMA = {
  type: 'object',
  properties: { colour: { enum: ['red', 'blue'] } },
  required: ['colour'],
  additionalProperties: false,
};

describe('what the answer of troupe ask has to be', () => {
  let folder: string;
  const file = async (name: string, content: string) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const ask = (...flags: readonly string[]) =>
    runCli(['ask', '--model', PILOT_MODEL, '--image', picturePath, ...flags, 'Which colour?']);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-schema-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('comes from a file, also one that begins with a byte order mark, or from the command line', async () => {
    const constraint = { type: 'json_schema', schema: SCHEMA };
    const text = JSON.stringify(SCHEMA);
    assert.deepEqual(await askedConstraint({ schema: await file('a.json', text) }), constraint);
    assert.deepEqual(await askedConstraint({ schema: await file('b.json', `\uFEFF${text}`) }), constraint);
    assert.deepEqual(await askedConstraint({ jsonSchema: text }), constraint);
    assert.deepEqual(await askedConstraint({ choice: ['a', 'b'] }), { type: 'choice', choices: ['a', 'b'] });
    assert.equal(await askedConstraint({}), undefined);
  });

  it('is refused where there is no such file, or it holds no schema', async () => {
    const missing = join(folder, 'none.json');
    await assert.rejects(askedConstraint({ schema: missing }), {
      code: 'INVALID_ARGUMENT',
      message: /^--schema: cannot be read: ENOENT.*none\.json/,
    });
    await assert.rejects(askedConstraint({ schema: folder }), {
      message: /^--schema: cannot be read: EISDIR/,
    });
    for (const text of ['{"type":', '', '[]', 'null', '"object"', '1']) {
      const bad = await file('bad.json', text);
      await assert.rejects(askedConstraint({ schema: bad }), {
        code: 'INVALID_ARGUMENT',
        message: /^--schema .*bad\.json: is no JSON Schema/,
      });
      await assert.rejects(askedConstraint({ jsonSchema: text }), {
        code: 'INVALID_ARGUMENT',
        message: /^--json-schema: is no JSON Schema/,
      });
    }
  });

  it('is said once', async () => {
    await assert.rejects(askedConstraint({ jsonSchema: '{}', choice: ['a'] }), {
      message: /^--json-schema, --choice: contradict each other/,
    });
  });

  it('names the flag and the place in it', () => {
    assert.equal(constraintFlag('constraint.schema#/not', { schema: 'a.json' }), '--schema #/not');
    assert.equal(constraintFlag('constraint.schema', { jsonSchema: '{}' }), '--json-schema');
  });

  it('an unsupported keyword ends with exit code 2 and its name', async () => {
    const { code, stdout, stderr } = await ask('--json-schema', '{"not":{"type":"string"}}');
    assert.match(stderr, /^troupe: --json-schema #\/not: [^\n]+ \[CONSTRAINT_UNSUPPORTED\]\n$/);
    assert.deepEqual([code, stdout], [2, '']);
  });

  it('is what the answer is', async () => {
    const { code, stdout } = await ask('--schema', await file('colour.json', JSON.stringify(SCHEMA)));
    assert.equal(code, 0);
    assert.match(JSON.parse(stdout).colour, /^(red|blue)$/);
    const chosen = await ask('--choice', 'scarlet', '--choice', 'navy blue');
    assert.match(chosen.stdout, /^(scarlet|navy blue)\n$/);
  });
});
