import { fail, type Result } from "../result.ts"

/** An exact answer would take too long. Whoever asks says so, and never takes it for a yes. */
export interface TooComplex {
  readonly kind: "too_complex"
  /** What is too complex, for people. */
  readonly reason: string
}

export const tooComplex = (reason: string): Result<never, TooComplex> => fail({ kind: "too_complex", reason })
