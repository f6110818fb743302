/** Families that cut images into tiles; features of two dimensions. */
import { familyAnswers } from '../family-answers.ts';

familyAnswers('llava_onevision');
familyAnswers('llama4');
