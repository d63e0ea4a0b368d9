import type { Steps } from "../../core/steps.ts"

/** How long steps may go on before others have their turn: an exchange waits for one slice at most. */
const SLICE_MS = 10

/**
 * Does work in slices of about 10 ms, between which the event loop answers requests. Null when `isStopped` said so
 * between two of them: the rest is then left undone.
 */
export async function inSlices<Outcome>(steps: Steps<Outcome>, isStopped: () => boolean): Promise<Outcome | null> {
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
