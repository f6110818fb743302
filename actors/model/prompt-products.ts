/** What products of prompts are made in. */

/** `file`: as the file has them; `8-bit`: of weights in 4 bits, products in 8. */
export const PROMPT_PRODUCTS = ['file', '8-bit'] as const;
export type PromptProducts = (typeof PROMPT_PRODUCTS)[number];
