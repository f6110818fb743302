import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withDefaults } from '../../../runtime/util/with-defaults.ts';

const DEFAULTS: { readonly most: number; readonly kind: string | null } = { most: 5, kind: 'usual' };

describe('options with defaults', () => {
  it('are the defaults where none are given', () => {
    assert.deepEqual(withDefaults(DEFAULTS, undefined), DEFAULTS);
  });

  it('are what is given, also 0 and null', () => {
    assert.deepEqual(withDefaults(DEFAULTS, { most: 0, kind: null }), { most: 0, kind: null });
  });

  it('are the defaults where undefined is given', () => {
    assert.deepEqual(withDefaults(DEFAULTS, { most: undefined, kind: 'other' }), { most: 5, kind: 'other' });
  });
});
