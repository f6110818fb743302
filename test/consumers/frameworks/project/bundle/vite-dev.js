/** Runs a module the way Vite's development server renders on the server. */
import { createServer } from 'vite';

const server = await createServer({ server: { middlewareMode: true }, appType: 'custom', logLevel: 'error' });
await server.ssrLoadModule('/bundle/ask.js');
await server.close();
