/** Gives the Markdown pages their titles, sections and addresses, which typedoc would take from the files' names. */
import { relative, sep } from 'node:path';
import {
  type Application,
  Comment,
  type CommentDisplayPart,
  CommentTag,
  type Context,
  Converter,
  type DeclarationReflection,
  type DocumentReflection,
  KindRouter,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
} from 'typedoc';
import { type Page, SECTIONS } from './pages.ts';

/** Section of the exports. */
export const REFERENCE = 'Reference';

const byFile = new Map(
  SECTIONS.flatMap(({ title, pages }) =>
    pages.map((page) => [page.file, { ...page, section: title }] as const),
  ),
);
const placed = new WeakMap<Reflection, Page>();

class PageRouter extends KindRouter {
  protected override getIdealBaseName(reflection: Reflection): string {
    const page = placed.get(reflection);
    return page === undefined ? super.getIdealBaseName(reflection) : `documents/${page.name}`;
  }
}

export function arrangePages(app: Application, root: string): void {
  app.renderer.defineRouter('pages', PageRouter);
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_: undefined, document: DocumentReflection) => {
    const path = document.project.files.getReflectionPath(document);
    const page = path === undefined ? undefined : byFile.get(relative(root, path).split(sep).join('/'));
    if (page === undefined) throw new Error(`${path ?? document.name} is no page of pages.ts`);
    placed.set(document, page);
    keepPlain(document.content);
    document.name = page.title;
    document.frontmatter.group = page.section;
  });
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_: Context, declaration: DeclarationReflection) => {
    if (!declaration.kindOf(ReflectionKind.Module)) return;
    declaration.comment ??= new Comment();
    declaration.comment.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: REFERENCE }]));
  });
}

/** The sources list exports by file; readers look for names. */
export function sortExports(project: ProjectReflection): void {
  const byName = (one: Reflection, other: Reflection): number => one.name.localeCompare(other.name, 'en');
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    module.children?.sort(byName);
    for (const { children } of module.groups ?? []) children.sort(byName);
  }
}

/** Blocks of no language (diagrams, output) stay plain; typedoc would colour them as TypeScript. */
export function keepPlain(content: readonly CommentDisplayPart[]): void {
  for (const part of content) {
    if (part.kind === 'code') part.text = part.text.replace(/^(```+)\n/, '$1text\n');
  }
}
