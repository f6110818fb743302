jest.setTimeout(120_000);

test('answers questions about a picture', async () => {
  const { askAll, EXPECTED } = require('../ask.js');
  expect(await askAll(require('troupe'))).toEqual(EXPECTED);
});
