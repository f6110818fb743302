/** The least an HTTP server can be: what it takes to answer here and now is the machine's own delay. */
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.send?.(`http://127.0.0.1:${address?.port}`);
});
process.once('disconnect', () => server.close());
