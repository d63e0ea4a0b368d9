import { messageForLog } from "./escape.ts"
import { exchange } from "./exchange.ts"
import { toFailure } from "./failure.ts"
import { fail, input } from "./runner.ts"

// Loaded only when there is something to run, so that other steps start fast.
const act = input("run") === "" ? exchange() : import("./run/run.ts").then(({ exchangeAndRun }) => exchangeAndRun())
act.catch(async (thrown) => {
  const words = await import("./report.ts").catch(() => null)
  if (words !== null) return words.reportFailure(thrown)
  const { code, message } = toFailure(thrown)
  fail(`Daypass: ${code}`, `${messageForLog(message)} ${UNREADABLE}`)
})

/** Something has removed the action's files while it ran. */
const UNREADABLE =
  "The action cannot read one of its own files on this runner any more. Let nothing clean the runner's folder `_actions` while a job runs."
