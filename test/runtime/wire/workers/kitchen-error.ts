/** An error class whose constructor has a signature of its own. */
import { TroupeError } from '../../../../runtime/errors.ts';
import { registerErrorClass } from '../../../../runtime/wire/error-codec.ts';

export class KitchenError extends TroupeError {
  override readonly name = 'KitchenError';
  readonly dish: string;

  constructor(dish: string, cause: unknown) {
    super(`${dish} failed`, { code: 'DISH_FAILED', retrySafe: true, details: { dish }, cause });
    this.dish = dish.toLowerCase();
  }
}

registerErrorClass(KitchenError);
