import { jest } from '@jest/globals';
import { InputError, Troupe, TroupeError } from 'troupe';
import { serve } from 'troupe/server';
import { askAll, EXPECTED } from '../ask.js';

jest.setTimeout(120_000);

test('answers questions about a picture', async () => {
  expect(await askAll({ Troupe })).toEqual(EXPECTED);
});

test('gives errors of its classes', async () => {
  const error = await Troupe.start({ model: 'no-such-folder' }).catch((reason) => reason);
  expect(error).toBeInstanceOf(TroupeError);
  expect(error).toMatchObject({ name: 'ModelError', code: 'MODEL_NOT_FOUND' });
  await expect(Troupe.start({ mode: 'both' })).rejects.toBeInstanceOf(InputError);
});

test('says that a port is taken', async () => {
  const server = await serve({ port: 0, log: { level: 'silent' } });
  const { port } = new URL(server.url);
  const second = serve({ port: Number(port), log: { level: 'silent' } });
  await expect(second).rejects.toMatchObject({
    code: 'PORT_UNAVAILABLE',
    message: expect.stringMatching(/EADDRINUSE/),
  });
  await server.close();
});
