const PLACEHOLDER = "[secret]"

/**
 * A value that prints as `[secret]` wherever it is written by accident: template strings, JSON, `util.inspect`, a log.
 *
 * The value is in a private field, which serialisers, dumps of enumerable properties and structured clones cannot read.
 * Only `reveal()` returns it, so a search for that word lists every place that uses a secret.
 */
export class Secret<Value> {
  readonly #value: Value

  constructor(value: Value) {
    this.#value = value
  }

  /** The value itself. Never log it, write it into an error, or store it. */
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
