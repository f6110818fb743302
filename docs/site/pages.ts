/**
 * The pages of the site, in the order of its navigation. A new page is a Markdown file and a line here; a file under
 * docs/ that is not listed, and a line without a file, fail `test/docs/pages.test.ts`.
 */

/** One Markdown file, as a page. */
export interface Page {
  /** Relative to the root of the project. */
  readonly file: string;
  /** As the navigation shows it. */
  readonly title: string;
  /** Last part of its address: `documents/NAME.html`. */
  readonly name: string;
}

export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

/** The first page that visitors see. */
export const HOME = 'README.md';

/** Markdown under docs/ that tells of the folder itself. */
export const ABOUT_THE_FOLDER = 'docs/README.md';

export const SECTIONS: readonly Section[] = [
  {
    title: 'Guides',
    pages: [
      { file: 'docs/getting-started.md', title: 'Getting started', name: 'getting-started' },
      { file: 'docs/install.md', title: 'Installing', name: 'install' },
      { file: 'docs/models.md', title: 'Models by their name', name: 'models' },
      { file: 'docs/api.md', title: 'From a program', name: 'api' },
      { file: 'docs/tools.md', title: 'Tools', name: 'tools' },
      { file: 'docs/server.md', title: 'As a server', name: 'server' },
      { file: 'docs/structured-output.md', title: 'Structured output', name: 'structured-output' },
      { file: 'docs/fleet.md', title: 'As a fleet', name: 'fleet' },
      { file: 'docs/families.md', title: 'Model families', name: 'families' },
      { file: 'docs/deploying.md', title: 'Where it runs', name: 'deploying' },
      { file: 'docs/gpu.md', title: 'On a GPU', name: 'gpu' },
      { file: 'docs/runtime.md', title: 'The actor runtime alone', name: 'runtime' },
      { file: 'docs/errors.md', title: 'Error codes', name: 'errors' },
    ],
  },
  {
    title: 'The embedded model',
    pages: [
      { file: 'models/default/README.md', title: 'Its card', name: 'model' },
      { file: 'models/recipe/README.md', title: 'Its recipe', name: 'model-recipe' },
    ],
  },
  {
    title: 'How it works',
    pages: [
      { file: 'docs/architecture.md', title: 'Architecture', name: 'architecture' },
      { file: 'docs/benchmarks.md', title: 'Benchmarks', name: 'benchmarks' },
      { file: 'docs/benchmarks/report.md', title: 'Benchmark report, CPU', name: 'benchmark-report' },
      { file: 'docs/benchmarks/gpu.md', title: 'Benchmark report, GPU', name: 'benchmark-report-gpu' },
    ],
  },
  {
    title: 'The project',
    pages: [
      { file: 'examples/README.md', title: 'Examples', name: 'examples' },
      { file: 'CONTRIBUTING.md', title: 'Contributing', name: 'contributing' },
      { file: 'CHANGELOG.md', title: 'Changelog', name: 'changelog' },
    ],
  },
];

export const PAGES: readonly Page[] = SECTIONS.flatMap(({ pages }) => pages);
