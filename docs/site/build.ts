/**
 * Builds the site: the Markdown pages of `pages.ts` and the API reference made of the docstrings, with one tool, so that
 * both have one navigation, one search and one check. An exported name without a docstring is an error, as is every
 * other warning, a dead link, and anything that the site would load from elsewhere.
 *
 *     npm run docs                 into docs/site/out
 */
import { fileURLToPath } from 'node:url';
import { Application, LogLevel } from 'typedoc';
import { arrangePages, keepPlain, REFERENCE, sortExports } from './arrange-pages.ts';
import { checkDocstrings } from './check-docstrings.ts';
import { checkExamples } from './check-examples.ts';
import { checkSite } from './check-site.ts';
import { HOME, PAGES, SECTIONS } from './pages.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OUT = fileURLToPath(new URL('out/', import.meta.url));
const at = (path: string): string => ROOT + path;

const app = await Application.bootstrap({
  name: 'Troupe',
  tsconfig: at('tsconfig.json'),
  basePath: ROOT,
  // Another TypeScript than the one that the sources are checked with, which is `npm run types`.
  skipErrorChecking: true,
  entryPoints: ['src/index.ts', 'src/server/index.ts', 'runtime/index.ts'].map(at),
  readme: at(HOME),
  projectDocuments: PAGES.map(({ file }) => at(file)),
  router: 'pages',
  out: OUT,
  cleanOutputDir: true,
  includeVersion: true,
  logLevel: LogLevel.Warn,

  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  disableSources: true,
  sort: ['source-order'],
  kindSortOrder: ['Document', 'Module', 'Class', 'Function', 'Interface', 'TypeAlias', 'Variable'],
  sortEntryPoints: false,
  // What a ref and an actor are underneath; nobody names them.
  intentionallyNotExported: [
    'Sendable',
    'AnyActor',
    'ACTOR_ERROR_CODES',
    'TOOL_STYLES',
    'actors/generation.ts:ContentPart',
    'actors/generation.ts:ImageSource',
  ],
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
    notDocumented: true,
  },
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,

  groupOrder: [...SECTIONS.map(({ title }) => title), REFERENCE],
  visibilityFilters: {},
  includeHierarchySummary: false,
  favicon: fileURLToPath(new URL('favicon.svg', import.meta.url)),
  customCss: fileURLToPath(new URL('site.css', import.meta.url)),
  customJs: fileURLToPath(new URL('site.js', import.meta.url)),
  hideGenerator: true,
  githubPages: false,
  navigation: { includeGroups: true, includeCategories: false, includeFolders: false },
  searchInComments: true,
  searchInDocuments: true,
});
arrangePages(app, ROOT);

const project = await app.convert();
if (project === undefined) throw new Error('the sources could not be read');
sortExports(project);
keepPlain(project.readme ?? []);
app.validate(project);
await app.generateOutputs(project);
const problems = [...checkDocstrings(project), ...checkExamples(project, ROOT), ...(await checkSite(OUT))];
for (const problem of problems) console.error(problem);
if (app.logger.hasErrors() || app.logger.hasWarnings() || problems.length > 0) process.exit(1);
console.log(`${OUT}index.html`);
