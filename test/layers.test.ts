import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RELATIVE_IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

/** Which folders the files of a folder may import from. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: ['runtime'],
  actors: ['actors', 'runtime'],
  src: ['src', 'actors', 'runtime'],
};

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(RELATIVE_IMPORT)].map(([, path = '']) =>
    relative(ROOT, join(ROOT, dirname(file), path)),
  );
}

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  describe(`${folder}/`, () => {
    it(`imports from ${allowed.join(', ')} only`, () => {
      const files = globSync(`${folder}/**/*.ts`, { cwd: ROOT });
      assert(files.length > 10);
      for (const file of files) {
        for (const target of importsOf(file)) {
          assert(allowed.includes(target.split('/')[0] ?? ''), `${file} imports ${target}`);
        }
      }
    });
  });
}

/**
 * The rooms of actors/, lowest first: a file may import from its own room and from lower ones. An entry is a folder with
 * all that is below it, or a single file; the longest that fits a path is its room.
 */
const ROOMS: readonly string[] = [
  'actors/errors.ts',
  'actors/shown-value.ts',
  'actors/is-record.ts',
  'actors/too-many-choices.ts',
  'actors/worker-pool.ts',
  'actors/cpu-identity.ts',
  'actors/constraint/grammar/compiled-grammar.ts',
  'actors/constraint/compiled-constraint.ts',
  'actors/constraint/constraint.ts',
  'actors/tools/',
  'actors/generation.ts',
  'actors/tokenized-prompt.ts',
  'actors/shared-past.ts',
  'actors/image-policy.ts',
  'actors/pd/prefix-cache/prefix-keys.ts',
  'actors/pool-board.ts',
  'actors/pd/speculation/speculation-options.ts',
  'actors/images/',
  'actors/model/',
  'actors/constraint/',
  'actors/inference/',
  'actors/families/',
  'actors/open-model-directory.ts',
  'actors/protocols.ts',
  'actors/trace.ts',
  'actors/route-by-prefix.ts',
  'actors/processor/',
  'actors/encoder/',
  'actors/pd/engine-errors.ts',
  'actors/pd/engine-request.ts',
  'actors/pd/held-images.ts',
  'actors/pd/kv-cache/',
  'actors/pd/kv-cache/gpu/',
  'actors/pd/prefix-cache/',
  'actors/pool-member.ts',
  'actors/pd/sampler/',
  'actors/pd/runner/',
  'actors/pd/requests/',
  'actors/pd/engine/pd-stats.ts',
  'actors/pd/speculation/',
  'actors/pd/engine/',
  'actors/pd/',
  'actors/prefill/',
  'actors/aggregated/',
];

function roomOf(path: string): string {
  const fitting = ROOMS.filter((room) => path === room || (room.endsWith('/') && path.startsWith(room)));
  return fitting.reduce((longest, room) => (room.length > longest.length ? room : longest), '');
}

describe('the rooms of actors/', () => {
  const files = globSync('actors/**/*.ts', { cwd: ROOT });

  it('hold every file', () => {
    for (const file of files)
      assert.notEqual(roomOf(file), '', `${file} is in no room: add its folder to ROOMS`);
  });

  it('have no import that runs upward', () => {
    for (const file of files) {
      for (const target of importsOf(file)) {
        if (!target.startsWith('actors/')) continue;
        const upward = ROOMS.indexOf(roomOf(target)) > ROOMS.indexOf(roomOf(file));
        assert(!upward, `${file} imports ${target}, which is above it`);
      }
    }
  });
});

/** A model that `--help` names. */
const EXAMPLE = 'HuggingFaceTB/SmolVLM-256M-Instruct';

describe('model families', () => {
  /** What they are called, in any spelling. */
  const names = new RegExp(
    [
      'smolvlm',
      ...readdirSync(join(ROOT, 'actors/families'), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name.replace(/[-_].*|\d+$/, '')),
    ].join('|'),
    'i',
  );

  it('are named by no code outside their folder', () => {
    const files = globSync('{actors,src,runtime}/**/*.ts', { cwd: ROOT });
    for (const file of files) {
      // Ways of writing calls are known by the names of the models that began with them.
      if (file.startsWith('actors/families/') || file.startsWith('actors/tools/')) continue;
      const code = withoutComments(readFileSync(join(ROOT, file), 'utf8')).replaceAll(EXAMPLE, '');
      assert.doesNotMatch(code, names, file);
    }
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '');
}
