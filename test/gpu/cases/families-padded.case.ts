/** Idefics3: tiles whose empty patches the vision graph masks. */
import { moreGoldensOf } from '../../families/support/family-goldens.ts';
import { familyAnswers } from '../family-answers.ts';

// `golden.json` was made with another filter.
familyAnswers('idefics3', { goldens: moreGoldensOf('idefics3') });
