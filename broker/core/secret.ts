const PLACEHOLDER = "[secret]"

/**
 * A value that prints as `[secret]` wherever it lands by accident: template strings, JSON, `util.inspect`, a log.
 *
 * The value lives in a private field, which no serialiser, debugger dump of enumerable properties or structured clone
 * reaches. `reveal()` is the only way to it, so that a search for that word lists every place where a secret is used.
 */
export class Secret<Value> {
  readonly #value: Value

  constructor(value: Value) {
    this.#value = value
  }

  /** The value itself. Never log, interpolate into an error, or store what this returns. */
  reveal(): Value {
    return this.#value
  }

  toString(): string {
    return PLACEHOLDER
  }

  toJSON(): string {
    return PLACEHOLDER
  }

  get [Symbol.toStringTag](): string {
    return PLACEHOLDER
  }

  /** What `console.log` and `util.inspect` print in Node and in workerd. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return PLACEHOLDER
  }
}
