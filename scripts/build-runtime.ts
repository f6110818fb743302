/**
 * `npm run build:runtime`: the actor runtime as a package of its own, in dist-runtime/, to be packed or published from there.
 * It is `troupe/runtime` of the built package and what that imports: one small dependency, no models and nothing native.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const NAME = 'troupe-runtime';
const root = new URL('../', import.meta.url);
const to = new URL('dist-runtime/', root);

const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const { version, license, engines, dependencies } = manifest;

rmSync(to, { recursive: true, force: true });
mkdirSync(to);
// The maps lead to sources that are not there.
cpSync(new URL('dist/runtime/', root), new URL('runtime/', to), {
  recursive: true,
  filter: (path) => !path.endsWith('.map'),
});
cpSync(new URL('LICENSE', root), new URL('LICENSE', to));
writeFileSync(new URL('README.md', to), readme());

/** How to write an actor and what is promised, from the guide, whose other parts lead to files of the project. */
function readme(): string {
  const guide = readFileSync(new URL('docs/runtime.md', root), 'utf8');
  const [beginning = ''] = guide.split('\n## A guide in five programs');
  const withoutLinks = beginning.replace(/\[([^\]]+)\]\((?!https:)[^)]*\)/g, '$1');
  return `${withoutLinks.replaceAll('troupe/runtime', NAME)}\n`;
}

const own = {
  name: NAME,
  version,
  description: 'Actors on worker threads: typed protocols, streams, supervision, tensors in shared memory',
  license,
  type: 'module',
  exports: {
    '.': { types: './runtime/index.d.ts', default: './runtime/index.js' },
    './package.json': './package.json',
  },
  files: ['runtime'],
  engines,
  dependencies: {
    '@types/node': dependencies['@types/node'],
    eventemitter3: dependencies.eventemitter3,
  },
};
writeFileSync(new URL('package.json', to), `${JSON.stringify(own, null, 2)}\n`);
