import { InputError, Troupe } from 'troupe';
import { expect, test } from 'vitest';
import { askAll, EXPECTED } from '../ask.js';

test('answers questions about a picture', { timeout: 120_000 }, async () => {
  expect(await askAll({ Troupe })).toEqual(EXPECTED);
});

test('gives errors of its classes', async () => {
  await expect(Troupe.start({ mode: 'both' })).rejects.toBeInstanceOf(InputError);
});
