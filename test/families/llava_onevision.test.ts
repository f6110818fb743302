import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('llava_onevision');
