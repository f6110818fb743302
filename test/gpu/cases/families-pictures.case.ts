/** Families that make one picture of an image; image tokens that see each other, prompts that are run whole. */
import { familyAnswers } from '../family-answers.ts';

familyAnswers('llava');
familyAnswers('gemma3');
familyAnswers('paligemma');
