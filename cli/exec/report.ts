import { changeFor } from "../../action/advice.ts"
import { ActionError, type FailureCode, toFailure } from "../../action/failure.ts"
import { reportFailure } from "../../action/report.ts"

/** Where the action's advice is about a step of a workflow. */
const CHANGES: Readonly<Partial<Record<FailureCode, string>>> = {
  input_invalid: "Correct the option; --help lists all of them.",
  request_malformed: "Correct the words and options as the broker's message says.",
  token_too_old:
    "Run the command again in a minute: the broker's ledger was restored, or a clock was corrected, and the broker accepts newer tokens only.",
  bound_token_required:
    "Ask the maintainers of the broker's policies whether the grant needs a token that is bound to a key: this CI fixes the audience of its tokens, so there is none.",
  delivery_refused: "Change the names in the policy or the provider's settings, or ask for the grants in two calls.",
  runner_disk: "Free space on this machine's disk, and let this user write to its temporary folder.",
  token_already_used: "Run the job again; if the error returns, look for a proxy that repeats requests.",
  token_audience_mismatch:
    "Let the CI make the token for the broker's audience; where the CI takes the audience from this command, correct --audience.",
}

/** What to change, for a command line. */
export function changeOf(failure: ActionError): string {
  const own = failure.change ?? CHANGES[failure.code] ?? changeFor(failure)
  return own.replace(/(?:the step's )?input `([a-z-]+)`/g, "option `--$1`")
}

/** Prints a failure as the action does, with advice for a command line. */
export function report(thrown: unknown): void {
  const failure = toFailure(thrown)
  const { code, message, requestId, trace, help } = failure
  reportFailure(
    new ActionError(code, message, {
      change: changeOf(failure),
      ...(requestId !== undefined && { requestId }),
      ...(trace && { trace }),
      ...(help && { help }),
    }),
  )
}
