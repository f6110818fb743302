/** Throws an error of a class that the other thread declares for itself, and sends its wire form. */
import { parentPort } from 'node:worker_threads';
import { encodeError } from '../../../../runtime/wire/error-codec.ts';
import { KitchenError } from './kitchen-error.ts';

try {
  throw new KitchenError('soup', new RangeError('too hot'));
} catch (error) {
  parentPort?.postMessage(encodeError(error));
}
