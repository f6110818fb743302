/** Families that make one picture of an image; image tokens that see each other, prompts that are run whole. */
import { writeFirstTokenTwice } from '../../families/support/family-goldens.ts';
import { familyAnswers } from '../family-answers.ts';

familyAnswers('llava');
familyAnswers('gemma3', { change: writeFirstTokenTwice });
familyAnswers('paligemma');
