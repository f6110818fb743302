/** A table of fields as docs/server.md shows it. */
import type { FieldRule, FieldRules } from '../../../src/server/openai/field-rule.ts';

export function said(rule: FieldRule): string {
  if (rule.kind === 'honoured') return rule.how;
  return rule.kind === 'only' ? `\`${rule.values}\`` : rule.why;
}

/** One row a field. */
export function fieldTable(rules: FieldRules): string {
  return tableOf(Object.entries(rules).map(([name, rule]) => row([name], rule)));
}

/** One row for all fields of which the same is said, where the first of them is. */
export function groupedTable(rules: FieldRules): string {
  const groups = Map.groupBy(Object.entries(rules), ([, rule]) => `${rule.kind} ${said(rule)}`);
  const rows = [...groups.values()].map((group) => {
    const [[, rule] = []] = group;
    return rule === undefined
      ? ''
      : row(
          group.map(([name]) => name),
          rule,
        );
  });
  return tableOf(rows);
}

function tableOf(rows: readonly string[]): string {
  return ['| field | | |', '|---|---|---|', ...rows].join('\n');
}

function row(names: readonly string[], rule: FieldRule): string {
  return `| ${names.map((name) => `\`${name}\``).join(', ')} | ${rule.kind} | ${said(rule)} |`;
}
