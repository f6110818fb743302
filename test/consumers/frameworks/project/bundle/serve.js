import { serve } from 'troupe/server';

serve({ port: 0, log: { level: 'silent' } }).then(async (server) => {
  const { status } = await fetch(`${server.url}/health`);
  await server.close();
  console.log(JSON.stringify({ status }));
});
