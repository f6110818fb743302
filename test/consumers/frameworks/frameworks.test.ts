/**
 * The packed package in the hands of test runners, bundlers and a web framework. Where it cannot run it has to end at
 * once, with what to do; where it can, it answers a question about a picture.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { askNext, bundleThePackage } from './support/next-server.ts';
import { type Ended, Project } from './support/project.ts';

const TIMEOUT_MS = 600_000;

describe('the published package', { timeout: TIMEOUT_MS }, () => {
  let project: Project;
  let answer: string;

  before(async () => {
    project = await Project.create();
    answer = JSON.parse(await readFile(project.path('expected.json'), 'utf8')).answer;
  });
  after(() => project?.remove());

  const succeeded = ({ code, output }: Ended): string => {
    assert.equal(code, 0, output);
    return output;
  };

  const assertAnswers = (ended: Ended): void => {
    const said = JSON.parse(
      succeeded(ended)
        .split('\n')
        .find((line) => line.startsWith('{')) ?? '{}',
    );
    const refusal = { name: 'InputError', code: 'IMAGE_NOT_FOUND' };
    assert.deepEqual(said, { answers: [answer, answer, answer, answer], refusal });
  };

  const assertBundled = ({ code, output }: Ended): void => {
    assert.notEqual(code, 0, output);
    assert.match(output, /code: ['"]BUNDLED['"]/);
    assert.match(output, /serverExternalPackages: \['troupe'\] .*--external:troupe .*ssr\.external/);
  };

  describe('in Jest', () => {
    const jest = (test: string) =>
      project.node([
        '--experimental-vm-modules',
        'node_modules/jest/bin/jest.js',
        '--rootDir',
        '.',
        '-c',
        'jest/jest.config.json',
        test,
      ]);

    it('answers tests that are modules', async () => {
      assert.match(succeeded(await jest('jest/modules.test.js')), /Tests: +3 passed/);
    });

    it('answers tests in CommonJS', async () => {
      assert.match(succeeded(await jest('jest/common-js.test.cjs')), /Tests: +1 passed/);
    });
  });

  describe('in Vitest', () => {
    for (const pool of ['threads', 'forks', 'vmThreads', 'vmForks']) {
      it(`answers tests in ${pool}`, async () => {
        const ended = await project.node([
          'node_modules/vitest/vitest.mjs',
          'run',
          '--pool',
          pool,
          '--dir',
          'vitest',
        ]);
        assert.match(succeeded(ended), /Tests +2 passed/);
      });
    }
  });

  describe('with esbuild', () => {
    const build = async (entry: string, format: string, ...flags: string[]): Promise<string> => {
      const out = `out/${entry}-${format}${flags.join('')}${format === 'esm' ? '.mjs' : '.cjs'}`;
      const args = [
        `bundle/${entry}.js`,
        '--bundle',
        '--platform=node',
        `--format=${format}`,
        `--outfile=${out}`,
      ];
      // CommonJS has no import.meta, which esbuild warns of.
      succeeded(
        await project.node(['node_modules/esbuild/bin/esbuild', ...args, ...flags, '--log-level=error']),
      );
      return out;
    };

    for (const format of ['esm', 'cjs']) {
      it(`answers as an external package, ${format}`, async () => {
        assertAnswers(await project.node([await build('ask', format, '--external:troupe')]));
      });

      for (const entry of ['ask', 'serve', 'actors']) {
        it(`says in a bundle that it must not be in one: ${entry}, ${format}`, async () => {
          assertBundled(await project.node([await build(entry, format)]));
        });
      }
    }

    it('says so in a bundle with short names, too', async () => {
      assertBundled(await project.node([await build('ask', 'esm', '--minify')]));
    });

    it('serves as an external package', async () => {
      const output = succeeded(await project.node([await build('serve', 'esm', '--external:troupe/server')]));
      assert.deepEqual(JSON.parse(output), { status: 200 });
    });
  });

  describe('with Vite', () => {
    const build = async (name: string, ssr: object): Promise<string> => {
      const args = ['build', '--ssr', 'bundle/ask.js', '--outDir', `out/${name}`, '--logLevel', 'error'];
      const config = `out-${name}.config.js`;
      await writeFile(project.path(config), `export default ${JSON.stringify({ ssr })};`);
      succeeded(await project.node(['node_modules/vite/bin/vite.js', ...args, '--config', config]));
      return `out/${name}/ask.js`;
    };

    it('answers when rendered on the server, as it comes', async () => {
      assertAnswers(await project.node([await build('external', {})]));
    });

    it('says in a bundle that it must not be in one', async () => {
      assertBundled(await project.node([await build('bundled', { noExternal: true })]));
    });

    it('answers when it alone is left out of the bundle', async () => {
      const ssr = { noExternal: true, external: ['troupe'] };
      assertAnswers(await project.node([await build('left-out', ssr)]));
    });

    it('answers under its development server', async () => {
      assertAnswers(await project.node(['bundle/vite-dev.js']));
    });
  });

  describe('with TypeScript', () => {
    const config = (options: object, file: string) => ({
      compilerOptions: {
        target: 'es2023',
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        ...options,
      },
      files: [file],
    });
    const bundler = { module: 'esnext', moduleResolution: 'bundler' };
    const MODULES = {
      'module node16': { module: 'node16' },
      'module nodenext': { module: 'nodenext' },
      'a bundler': bundler,
    };
    const LIBRARIES = { 'without the DOM library': ['ES2023'], 'with the DOM library': ['ES2023', 'DOM'] };

    const compile = async (typescript: string, options: object, file: string): Promise<void> => {
      await writeFile(project.path('types', 'tsconfig.json'), JSON.stringify(config(options, file)));
      succeeded(await project.node([`node_modules/${typescript}/bin/tsc`, '-p', 'types']));
    };

    for (const [module, options] of Object.entries(MODULES)) {
      for (const [library, lib] of Object.entries(LIBRARIES)) {
        it(`compiles for ${module}, ${library}`, async () => {
          await compile('typescript-7', { ...options, lib, types: ['node'] }, 'program.ts');
        });
      }
    }

    it('compiles a program that asks for no types of Node', async () => {
      await compile('typescript-7', { module: 'nodenext', lib: ['ES2023'], types: [] }, 'plain.ts');
    });

    // Slower than the newest, so in one way each.
    for (const older of ['typescript-5', 'typescript']) {
      it(`compiles by an older compiler, ${older}`, async () => {
        await compile(older, { module: 'nodenext', lib: ['ES2023'], types: ['node'] }, 'program.ts');
      });
    }
  });

  describe('in Next.js', () => {
    it('answers a form that the example is sent', async () => {
      const { status, body, log } = await askNext(project, '--turbopack');
      assert.equal(status, 200, log);
      assert.equal(JSON.parse(body).text.trim(), answer);
    });

    for (const bundler of ['--turbopack', '--webpack']) {
      it(`says in a bundle that it must not be in one, ${bundler}`, async () => {
        await bundleThePackage(project);
        const { status, log } = await askNext(project, bundler);
        assert.equal(status, 500, log);
        assert.match(log, /code: 'BUNDLED'/);
        assert.match(log, /serverExternalPackages: \['troupe'\]/);
      });
    }
  });
});
