/**
 * Loaded into a server's process before anything else (`--import`): the name `rebinding.test` has a public address when
 * it is looked up first, and this machine's from then on; `inner.test` has a private one beside a public one.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const real = dns.lookup;
let lookups = 0;

/** Public by its range; the port that the test asks for is open nowhere. */
const PUBLIC = '1.1.1.1';

function answers(hostname: string): dns.LookupAddress[] | undefined {
  if (hostname === 'rebinding.test') {
    lookups += 1;
    return [{ address: lookups === 1 ? PUBLIC : '127.0.0.1', family: 4 }];
  }
  if (hostname === 'inner.test') return [PUBLIC, '10.0.0.1'].map((address) => ({ address, family: 4 }));
  return undefined;
}

const patched = (
  hostname: string,
  options: dns.LookupAllOptions,
  callback: (...results: unknown[]) => void,
) => {
  const found = answers(hostname);
  if (found === undefined) real(hostname, options, callback);
  else if (options.all) process.nextTick(callback, null, found);
  else process.nextTick(callback, null, found[0]?.address, found[0]?.family);
};

Object.assign(dns, { lookup: patched });
syncBuiltinESMExports();
