/** Why a step of init cannot be done: what happened, and what to change. Everything that is done stays done. */
export class Refusal extends Error {
  override readonly name = "Refusal"
  /** What another program said. Untrusted: it may contain anything. */
  readonly said: string

  constructor(message: string, said = "") {
    super(message)
    this.said = said
  }
}
