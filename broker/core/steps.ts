/** Work that pauses at every `yield`. The caller can continue it later, or drop it. */
export type Steps<Outcome> = Generator<void, Outcome, void>

/** Runs all steps without a pause. */
export function atOnce<Outcome>(steps: Steps<Outcome>): Outcome {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
