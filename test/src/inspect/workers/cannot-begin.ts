/** A worker's module that fails when it is loaded. */
throw new Error('a part of it is missing');
