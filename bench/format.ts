/** How figures are written, on the terminal and in the report alike. */
import type { Claim } from './suite.ts';

export function formatMs(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(ms < 0.1 ? 1 : 0)} µs`;
  return `${formatCount(ms)} ms`;
}

export function formatCount(count: number): string {
  const digits = Math.abs(count) < 10 ? 2 : Math.abs(count) < 100 ? 1 : 0;
  return count.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatValue(value: number, unit: string): string {
  return `${Number.isInteger(value) ? value.toLocaleString('en-US') : formatCount(value)}${unit}`;
}

export function formatGoal({ goal, unit }: Claim): string {
  return 'atLeast' in goal ? `≥ ${formatValue(goal.atLeast, unit)}` : `≤ ${formatValue(goal.atMost, unit)}`;
}
