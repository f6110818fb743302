import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('paligemma', { cut: false });
