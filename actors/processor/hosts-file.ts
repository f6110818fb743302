/** Names that this machine's hosts file gives addresses; DNS clients of their own do not read it. */
import type { LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

const PATH =
  process.platform === 'win32'
    ? join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'hosts')
    : '/etc/hosts';
/** A list of blocked names has many lines; it is not read for each image. */
const FRESH_MS = 10_000;

type Names = ReadonlyMap<string, readonly LookupAddress[]>;

let known: { readonly names: Promise<Names>; readonly until: number } | undefined;

/** None when the name is not in the file, or there is no file. */
export async function hostsFileAddresses(hostname: string): Promise<readonly LookupAddress[]> {
  if (known === undefined || performance.now() > known.until) {
    known = { names: readNames(), until: performance.now() + FRESH_MS };
  }
  return (await known.names).get(hostname.toLowerCase().replace(/\.$/, '')) ?? [];
}

async function readNames(): Promise<Names> {
  return parseHosts(await readFile(PATH, 'utf8').catch(() => ''));
}

export function parseHosts(text: string): Names {
  const names = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...hosts] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const host of hosts) {
      const name = host.toLowerCase();
      names.set(name, [...(names.get(name) ?? []), { address, family }]);
    }
  }
  return names;
}
