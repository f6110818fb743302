import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('mistral3');
