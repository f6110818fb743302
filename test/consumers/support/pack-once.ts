/** For `node --test --test-global-setup`. */
export { packOnce as globalSetup, removePacked as globalTeardown } from './packed-package.ts';
