/** Looks for docstrings that say only which parameters there are or what is thrown; typedoc finds those that are missing. */
import { type ProjectReflection, ReflectionKind } from 'typedoc';

/** @returns one line for each docstring without a first sentence */
export function checkDocstrings(project: ProjectReflection): string[] {
  return project.getReflectionsByKind(ReflectionKind.All).flatMap((reflection) => {
    const { comment } = reflection;
    if (comment === undefined || comment.hasModifier('@internal')) return [];
    const summary = comment.summary.map(({ text }) => text).join('');
    return summary.trim() === '' ? [`says not what it is: ${reflection.getFullName()}`] : [];
  });
}
