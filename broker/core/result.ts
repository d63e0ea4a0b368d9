/** The outcome of a pure function that can refuse its input. Pure rooms return it, and never throw for bad input. */
export type Result<Value, Fault> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly fault: Fault }

/** A success, with its value. */
export const ok = <Value>(value: Value): Result<Value, never> => ({ ok: true, value })

/** A failure, with its reason. */
export const fail = <Fault>(fault: Fault): Result<never, Fault> => ({ ok: false, fault })
