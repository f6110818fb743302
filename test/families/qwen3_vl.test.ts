import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('qwen3_vl');
