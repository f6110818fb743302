import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('qwen2_vl');
