import { fail, ok, type Result } from "../../broker/core/result.ts"

/** An exact answer would take too long. Whoever asks says so, and never takes it for a yes. */
export interface TooComplex {
  readonly kind: "too_complex"
  /** What is too complex, for people. */
  readonly reason: string
}

/** No answer, because of this. */
export const tooComplex = (reason: string): Result<never, TooComplex> => fail({ kind: "too_complex", reason })

/** Unwraps a result, or ends the attempt that it is a step of. */
export type Must = <Value>(result: Result<Value, TooComplex>) => Value

/**
 * Runs steps of which any may be too complex; the first that is makes the whole too complex. Steps call `must` on each
 * result, and only before the attempt returns. Nothing is thrown out of it but what a step itself throws.
 */
export function attempt<Value>(steps: (must: Must) => Value): Result<Value, TooComplex> {
  const must: Must = (result) => {
    if (!result.ok) throw new Abandoned(result.fault)
    return result.value
  }
  try {
    return ok(steps(must))
  } catch (error) {
    if (error instanceof Abandoned) return fail(error.fault)
    throw error
  }
}

/** Never leaves its attempt. */
class Abandoned extends Error {
  readonly fault: TooComplex
  constructor(fault: TooComplex) {
    super(fault.reason)
    this.fault = fault
  }
}
