/** `serve` as programs get it: looks whether this is a bundle before it loads the server, which some cannot even load. */
import { moduleBeside } from '../../runtime/module-beside.ts';
import type { ServeOptions, TroupeServer } from './serve.ts';

/**
 * Starts a server. Resolves when the model is loaded and requests are served.
 *
 * @throws InputError `INVALID_OPTION`, `PORT_UNAVAILABLE`; ModelError when the model cannot be used; TroupeError
 *   `BUNDLED` when a bundler has taken the package apart
 */
export async function serve(options: ServeOptions = {}): Promise<TroupeServer> {
  moduleBeside(import.meta.url, '../inspect/graph-worker');
  const server = await import('./serve.ts');
  return await server.serve(options);
}
