/**
 * What a stand-in was asked, in order, without a secret; and what it was asked that nobody may ask.
 *
 * An unexpected request is answered with 404 and kept: a client that swallows the 404 still fails the test.
 */
export class RequestLog {
  readonly #server: string
  readonly #entries: string[] = []
  readonly #unexpected: string[] = []

  constructor(server: string) {
    this.#server = server
  }

  /** One line a request, for example `GET /.well-known/jwks 200`. */
  get entries(): readonly string[] {
    return this.#entries
  }

  note(line: string): void {
    this.#entries.push(line)
  }

  unexpected(line: string): void {
    this.#entries.push(`${line} (unexpected)`)
    this.#unexpected.push(line)
  }

  /** @throws when anything was asked that no client of this server has a reason to ask. */
  assertClean(): void {
    if (this.#unexpected.length === 0) return
    throw new Error(`${this.#server} was asked what nobody expected:\n  ${this.#unexpected.join("\n  ")}`)
  }
}
