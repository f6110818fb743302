/** The types that facts allow. */
import type { Facts } from './facts.ts';
import { TYPES, type TypeName } from './keyword-values.ts';

/** Types that all facts allow; `integer` stands only where `number` does not. */
export function typesOf(facts: Facts): ReadonlySet<TypeName> {
  let allowed = new Set<TypeName>(TYPES.filter((type) => type !== 'integer'));
  for (const { keywords } of facts) {
    if (keywords.type === undefined) continue;
    const listed: readonly unknown[] = Array.isArray(keywords.type) ? keywords.type : [keywords.type];
    const both = new Set<TypeName>();
    for (const type of allowed) {
      if (listed.includes(type)) both.add(type);
      else if (type === 'number' && listed.includes('integer')) both.add('integer');
      else if (type === 'integer' && listed.includes('number')) both.add('integer');
    }
    allowed = both;
  }
  return allowed;
}
