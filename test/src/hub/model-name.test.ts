import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hubNameIn, isHubName, nameOf, parseModelName } from '../../../src/hub/model-name.ts';

describe('parseModelName', () => {
  it('takes owner/name, and main when no revision is given', () => {
    assert.deepEqual(parseModelName('HuggingFaceTB/SmolVLM-256M-Instruct'), {
      id: 'HuggingFaceTB/SmolVLM-256M-Instruct',
      revision: 'main',
    });
  });

  for (const revision of ['v1.0', 'refs/pr/12', 'a'.repeat(40), 'feature/x_y-z']) {
    it(`takes the revision ${revision.slice(0, 12)}`, () => {
      const name = parseModelName(`a/b@${revision}`);
      assert.equal(name.revision, revision);
      assert.deepEqual(parseModelName(nameOf(name)), name);
    });
  }

  const TRICKS = [
    ...[
      '../x',
      'a/..',
      'a/b/c',
      'a//b',
      '/a/b',
      'a/b/',
      'a',
      '',
      '@',
      'a/b@',
      'a/.b',
      'a/b.',
      '-a/b',
      'a/b--c',
    ],
    ...[
      'a/b@../../x',
      'a/b@/x',
      'a/b@x/',
      'a/b@x//y',
      'a/b@.x',
      'a/b@x..y',
      'a/b@x.lock',
      'a/b@x@y',
      'a/b@x y',
    ],
    ...[
      'a\\b/c',
      'a/b\0',
      'a/b\n',
      'a/b.git',
      'http://a/b',
      'a/b?x',
      'a/b#x',
      'a/%2e%2e',
      `a/${'b'.repeat(97)}`,
    ],
  ];
  for (const text of TRICKS) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.throws(() => parseModelName(text), { code: 'MODEL_NAME_INVALID' });
    });
  }
});

describe('isHubName', () => {
  it('knows a name as it is written shortest', () => {
    assert.deepEqual(
      ['a/b', 'a/b@v1', 'a/b@main', 'hf://a/b', 'a', './a/b', ''].map((text) => isHubName(text)),
      [true, true, false, false, false, false, false],
    );
  });
});

describe('hubNameIn', () => {
  for (const path of ['./a/b', '../a/b', '/a/b', '~/a/b', 'C:\\a', 'models']) {
    it(`takes ${path} for a folder`, async () => {
      assert.equal(await hubNameIn(path), undefined);
    });
  }

  it('takes a folder that is there for one, though it could be a name', async () => {
    const before = process.cwd();
    process.chdir(mkdtempSync(join(tmpdir(), 'troupe-name-')));
    try {
      mkdirSync('owner/name', { recursive: true });
      assert.equal(await hubNameIn('owner/name'), undefined);
      assert.deepEqual(await hubNameIn('hf://owner/name'), { id: 'owner/name', revision: 'main' });
      assert.deepEqual(await hubNameIn('owner/other'), { id: 'owner/other', revision: 'main' });
    } finally {
      process.chdir(before);
    }
  });
});
