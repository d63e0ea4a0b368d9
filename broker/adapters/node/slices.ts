import type { Steps } from "../../core/steps.ts"

/** How long one slice may run before requests get their turn. An exchange waits for at most one slice. */
const SLICE_MS = 10

const never = () => false

/**
 * Runs steps in slices of about 10 ms, between which the event loop answers requests. Null when `isStopped` returned true
 * between two slices; the remaining steps are then not run.
 */
export async function inSlices<Outcome>(steps: Steps<Outcome>): Promise<Outcome>
export async function inSlices<Outcome>(steps: Steps<Outcome>, isStopped: () => boolean): Promise<Outcome | null>
export async function inSlices<Outcome>(steps: Steps<Outcome>, isStopped = never): Promise<Outcome | null> {
  while (!isStopped()) {
    const until = performance.now() + SLICE_MS
    do {
      const step = steps.next()
      if (step.done) return step.value
    } while (performance.now() < until)
    await new Promise<void>((resume) => setImmediate(resume))
  }
  return null
}
