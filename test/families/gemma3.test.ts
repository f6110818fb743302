import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('gemma3');
