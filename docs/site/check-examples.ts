/** Compiles the examples of the docstrings against the sources, each as a module that imports `troupe` by its name. */
import { join } from 'node:path';
import { type CommentDisplayPart, type ProjectReflection, ReflectionKind } from 'typedoc';
import ts from 'typescript';

const FENCE = /^```ts\n(.*?)\n```$/gms;

interface Example {
  readonly name: string;
  readonly code: string;
}

/** @returns one line for each error, none when all compile */
export function checkExamples(project: ProjectReflection, root: string): string[] {
  const examples = examplesOf(project);
  if (examples.length === 0) return ['no example was found in any docstring'];
  const files = new Map(
    examples.map(({ name, code }, index) => [
      join(root, `example-${index}.ts`),
      { name, code: `${code}\nexport {};\n` },
    ]),
  );
  const options = optionsOf(root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, languageVersion) => {
    const code = files.get(path)?.code;
    return code === undefined
      ? getSourceFile(path, languageVersion)
      : ts.createSourceFile(path, code, languageVersion);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([path, { name }]) =>
    [
      ...program.getSyntacticDiagnostics(program.getSourceFile(path)),
      ...program.getSemanticDiagnostics(program.getSourceFile(path)),
    ].map(({ messageText }) => `example of ${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`),
  );
}

function examplesOf(project: ProjectReflection): Example[] {
  return project.getReflectionsByKind(ReflectionKind.All).flatMap((reflection) => {
    const { comment } = reflection;
    if (comment === undefined) return [];
    const parts = [comment.summary, ...comment.blockTags.map(({ content }) => content)];
    return parts.flatMap((content) =>
      [...textOf(content).matchAll(FENCE)].map(([, code = '']) => ({ name: reflection.getFullName(), code })),
    );
  });
}

const textOf = (content: readonly CommentDisplayPart[]): string => content.map(({ text }) => text).join('');

function optionsOf(root: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root);
  const paths = {
    troupe: ['./src/index.ts'],
    'troupe/server': ['./src/server/index.ts'],
    'troupe/runtime': ['./runtime/index.ts'],
  };
  return { ...options, noEmit: true, skipLibCheck: true, paths };
}
