/** A worker's module whose dependency was left behind. */
const name = 'a-package-that-nobody-has';
await import(name);
