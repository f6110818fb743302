// JavaScript: threads.js looks for ts-node where a module is TypeScript.
import { expose } from 'threads/worker';

expose({ echo: (message) => message });
