/**
 * Loaded into a server's process before anything else (`--import`): the name `rebinding.test` has a public address when
 * it is looked up first, and this machine's from then on; `inner.test` has a private one beside a public one.
 */
import { Resolver } from 'node:dns';

type Callback = (error: Error | null, addresses?: string[]) => void;

const real = Resolver.prototype.resolve4 as (hostname: string, callback: Callback) => void;
let lookups = 0;

/** Public by its range; the port that the test asks for is open nowhere. */
const PUBLIC = '1.1.1.1';

function answers(hostname: string): string[] | undefined {
  if (hostname === 'rebinding.test') {
    lookups += 1;
    return [lookups === 1 ? PUBLIC : '127.0.0.1'];
  }
  return hostname === 'inner.test' ? [PUBLIC, '10.0.0.1'] : undefined;
}

Object.assign(Resolver.prototype, {
  resolve4(this: Resolver, hostname: string, callback: Callback) {
    const found = answers(hostname);
    if (found === undefined) real.call(this, hostname, callback);
    else process.nextTick(callback, null, found);
  },
  resolve6(_hostname: string, callback: Callback) {
    process.nextTick(callback, Object.assign(new Error('no such address'), { code: 'ENODATA' }));
  },
});
