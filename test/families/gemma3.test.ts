import { writeFirstTokenTwice } from './support/family-goldens.ts';
import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('gemma3', { change: writeFirstTokenTwice });
