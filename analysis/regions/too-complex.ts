import { fail, ok, type Result } from "../../broker/core/result.ts"

/** An exact answer would take too long. The caller must report it, and must never treat it as a yes. */
export interface TooComplex {
  readonly kind: "too_complex"
  /** What is too complex, for people. */
  readonly reason: string
}

/** A failed result with this reason. */
export const tooComplex = (reason: string): Result<never, TooComplex> => fail({ kind: "too_complex", reason })

/** Unwraps a result, or ends the current attempt. */
export type Must = <Value>(result: Result<Value, TooComplex>) => Value

/**
 * Runs steps that may be too complex; the first such step makes the whole attempt too complex. Steps call `must` on each
 * result, and only before the attempt returns. The attempt throws only what a step itself throws.
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

/** Thrown and caught only inside `attempt`. */
class Abandoned extends Error {
  readonly fault: TooComplex
  constructor(fault: TooComplex) {
    super(fault.reason)
    this.fault = fault
  }
}
