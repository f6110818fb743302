/** A Next.js application, built and started for real, and one request to it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { Project } from './project.ts';

const NEXT = 'node_modules/next/dist/bin/next';

export interface NextAnswer {
  readonly status: number;
  readonly body: string;
  /** What the server said on its terminal. */
  readonly log: string;
}

/** Builds the example, starts it on a free port, sends its form, and ends it. */
export async function askNext(project: Project, bundler: string): Promise<NextAnswer> {
  const next = project.path(NEXT);
  const folder = project.path('nextjs');
  const built = await project.node([next, 'build', bundler], {}, folder);
  if (built.code !== 0) throw new Error(`next build failed:\n${built.output}`);
  const server = spawn(process.execPath, [next, 'start', '--port', '0'], { cwd: folder, env: project.env });
  let log = '';
  const heard = Promise.withResolvers<string>();
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (data) => {
      log += data;
      const url = /http:\/\/localhost:\d+/.exec(log)?.[0];
      if (url !== undefined && log.includes('Ready in')) heard.resolve(url);
    });
  }
  const exited = once(server, 'exit');
  exited.then(() => heard.reject(new Error(`next start ended:\n${log}`)));
  try {
    const response = await fetch(`${await heard.promise}/api/ask`, {
      method: 'POST',
      body: await form(project),
    });
    return { status: response.status, body: await response.text(), log };
  } finally {
    server.kill('SIGTERM');
    await exited;
  }
}

const EXTERNAL = "serverExternalPackages: ['troupe'],";

/** Makes the example bundle the package, as a new application would. */
export async function bundleThePackage(project: Project): Promise<void> {
  const path = project.path('nextjs', 'next.config.ts');
  const config = await readFile(path, 'utf8');
  await writeFile(path, config.replace(EXTERNAL, ''));
}

async function form(project: Project): Promise<FormData> {
  const { question } = JSON.parse(await readFile(project.path('expected.json'), 'utf8'));
  const fields = new FormData();
  fields.set('question', question);
  fields.set(
    'image',
    new File([await readFile(project.path('picture.png'))], 'picture.png', { type: 'image/png' }),
  );
  return fields;
}
