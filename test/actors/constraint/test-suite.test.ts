import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { suiteResults } from './support/suite-results.ts';

const results = await suiteResults();
const page = await readFile(new URL('../../../docs/structured-output.md', import.meta.url), 'utf8');

for (const { file, reachable, unreachable, excluded, wrong, refused } of results) {
  test(`JSON-Schema-Test-Suite, ${file}: nothing invalid can be answered, and the documented table is true`, () => {
    assert.deepEqual(wrong, []);
    const codes = [...new Set(refused)]
      .map((code) => code.replace('CONSTRAINT_', '').toLowerCase())
      .join(', ');
    const cells = [
      reachable,
      unreachable.length,
      excluded,
      refused.length === 0 ? '–' : `${refused.length} ${codes}`,
    ];
    const row = `| ${file} | ${cells.join(' | ')} |`;
    assert.ok(page.includes(row), `docs/structured-output.md lacks ${row}`);
  });
}

test('values that cannot be answered are written in another form than the documented one', () => {
  const others = new Set(results.filter(({ unreachable }) => unreachable.length > 0).map(({ file }) => file));
  const forms = [
    'bignum',
    'format/date-time',
    'format/duration',
    'format/email',
    'format/hostname',
    'format/ipv6',
    'format/time',
    'format/uri-reference',
    'vocabulary',
  ];
  assert.deepEqual([...others].sort(), forms);
});
