/** Work that can be interrupted at every `yield` and gone on with later, or never. */
export type Steps<Outcome> = Generator<void, Outcome, void>

/** Does all of the work now. */
export function atOnce<Outcome>(steps: Steps<Outcome>): Outcome {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
