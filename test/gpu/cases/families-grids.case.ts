/** Families whose vision graph is told the grid of patches, and whose tokens have positions of three axes. */
import { familyAnswers } from '../family-answers.ts';

familyAnswers('qwen2_vl');
familyAnswers('qwen2_5_vl');
