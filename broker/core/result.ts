/** The outcome of a pure function that can say no. Pure rooms return it; nothing in them throws for bad input. */
export type Result<Value, Fault> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly fault: Fault }

/** Yes, with a value. */
export const ok = <Value>(value: Value): Result<Value, never> => ({ ok: true, value })

/** No, with the reason. */
export const fail = <Fault>(fault: Fault): Result<never, Fault> => ({ ok: false, fault })
