/** What a process and its children did to files and sockets, by strace (Linux; Debian's package of that name). */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

const CREATING = ['creat', 'mkdir', 'mkdirat', 'rename', 'renameat', 'renameat2'];
const LINKING = ['link', 'linkat', 'symlink', 'symlinkat', 'mknod', 'mknodat'];
const SPEAKING = ['socket', 'connect', 'bind', 'sendto', 'sendmsg', 'sendmmsg'];
const TRACED = [...CREATING, ...LINKING, ...SPEAKING, 'open', 'openat', 'openat2'];

const CALL = /^\d+\s+(\w+)\((.*)$/;
const ADDRESS = /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/g;

export interface SystemCalls {
  /** Every path that was to be created, renamed or linked, whether or not it could be. */
  readonly created: readonly string[];
  /** Calls that name a family of sockets of the network. */
  readonly sockets: readonly string[];
  /** Every address that was connected to, bound or sent to. */
  readonly addresses: readonly string[];
}

/** Why nothing can be traced here, or false. A container may forbid it. */
export function whyNoTrace(): string | false {
  const { error, status } = spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']);
  if (error !== undefined) return 'there is no strace';
  return status === 0 ? false : 'strace may not trace here';
}

/** The command line that traces another one into a file. */
export function traced(file: string, command: readonly string[]): string[] {
  return [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-y',
    '-s',
    '4096',
    '-e',
    `trace=${TRACED}`,
    '-o',
    file,
    ...command,
  ];
}

/** @param cwd of the processes, for relative paths */
export function readTrace(file: string, cwd: string): SystemCalls {
  const calls = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, name = '', args = ''] = CALL.exec(line) ?? [];
      return name === '' ? [] : [{ name, args }];
    });
  return {
    created: calls
      .filter(({ name, args }) => (name.startsWith('open') ? args.includes('O_CREAT') : !isSpeaking(name)))
      .flatMap(({ args }) => pathsIn(args, cwd)),
    sockets: calls
      .filter(({ args }) => /AF_INET|AF_PACKET/.test(args))
      .map(({ name, args }) => `${name}(${args}`),
    addresses: calls.flatMap(({ args }) => [...args.matchAll(ADDRESS)].map(([, v4, v6]) => v4 ?? v6 ?? '')),
  };
}

function isSpeaking(name: string): boolean {
  return SPEAKING.includes(name);
}

/** Each path beside the folder that it is relative to: `-y` writes that after the descriptor. */
function pathsIn(args: string, cwd: string): string[] {
  return [...args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"/g)].map(
    ([, folder = cwd, path = '']) => (isAbsolute(path) ? path : join(folder, path)),
  );
}
