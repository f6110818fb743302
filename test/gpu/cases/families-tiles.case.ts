/** Families that cut images into tiles; features of two dimensions, and masks of patches that do not count. */
import { moreGoldensOf } from '../../families/support/family-goldens.ts';
import { familyAnswers } from '../family-answers.ts';

// `golden.json` was made with another filter.
familyAnswers('idefics3', { goldens: moreGoldensOf('idefics3') });
familyAnswers('llava_onevision');
familyAnswers('llama4');
