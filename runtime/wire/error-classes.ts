/**
 * Which error classes keep their identity on the way to another thread. The wire form names an error's class
 * and that class's ancestors; the receiver takes the first that it knows. JavaScript's own classes are known
 * everywhere; the project's must be registered on the receiving thread, best in the module that declares them.
 */
import { ActorError, TroupeError } from '../errors.ts';

/** Any class of errors, whatever its constructor takes: it is never called. */
export interface ErrorClass {
  /** By which the class is known on every thread. */
  readonly name: string;
  /** What a revived error inherits from. */
  readonly prototype: Error;
}

const STANDARD: readonly ErrorClass[] = [
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

const standard = new Map(STANDARD.map((errorClass) => [errorClass.name, errorClass]));
const registered = new Map<string, ErrorClass>();

/**
 * Lets errors of this class be revived as such. The class must be plain data: a revived error has the fields of
 * the original, but no `#private` ones, since no constructor ran. Throws when another class has the name.
 */
export function registerErrorClass(errorClass: ErrorClass): void {
  const known = standard.get(errorClass.name) ?? registered.get(errorClass.name);
  if (known !== undefined && known !== errorClass) {
    throw new TroupeError(`there is another error class with the name '${errorClass.name}'`, {
      code: 'ERROR_CLASS_CONFLICT',
      details: { name: errorClass.name },
    });
  }
  if (known === undefined) registered.set(errorClass.name, errorClass);
}

registerErrorClass(TroupeError);
registerErrorClass(ActorError);

/** The class of the first name that is known here, `Error` if none is. */
export function findErrorClass(lineage: readonly string[]): ErrorClass {
  for (const name of lineage) {
    const known = standard.get(name) ?? registered.get(name);
    if (known !== undefined) return known;
  }
  return Error;
}

/**
 * Names of an error's class and its ancestors. A stranger that bears the name of a registered class is left
 * out, unless it is a `TroupeError` of another copy of the package.
 */
export function lineageOf(error: object): string[] {
  const lineage: string[] = [];
  for (
    let prototype: unknown = Object.getPrototypeOf(error);
    typeof prototype === 'object' && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const errorClass: unknown = Object.hasOwn(prototype, 'constructor') ? prototype.constructor : undefined;
    if (typeof errorClass !== 'function' || errorClass.name === 'Object') continue;
    const known = registered.get(errorClass.name);
    if (known === undefined || known === errorClass || TroupeError.is(error)) lineage.push(errorClass.name);
  }
  return lineage;
}
