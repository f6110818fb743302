/**
 * How urgent a message is to its sender. Each priority is a lane of its own from end to end: a line at the ref, credits, a
 * line in the mailbox. So what is urgent is held up by nothing less urgent, order holds within a priority, and what an
 * actor had begun when it died is known of each lane by a count, as if there were no others.
 */
/** How urgent a message is. */
export type Priority = 'high' | 'normal' | 'low';

/** The most urgent first. */
export const PRIORITIES = ['high', 'normal', 'low'] as const satisfies readonly Priority[];
