import type { BrokerError } from "../../core/errors.ts"
import { type Answer, messageOf, type NoAccessReason } from "../../github/answer.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { denied, invalid, type OtherSide, passingFailure, throttled } from "../call.ts"
import { type Connection, type Grant, namesOf, permissionsOf } from "./grant.ts"

/** What a refusal is about. */
export interface Asked {
  readonly settings: Connection
  /** Null where nothing of a grant was asked. */
  readonly wanted: Grant | null
}

/** Names of a list before the rest of it is counted. */
const NAMES_SHOWN = 5

/**
 * What an answer that is no yes means for a job. GitHub's status and a few sentences of its are told apart, as it has no
 * codes; none of its words gets into an error.
 */
export function refusalOf(
  side: OtherSide,
  response: HttpResponse,
  answer: Exclude<Answer, { readonly outcome: "ok" }>,
  asked: Asked,
): BrokerError {
  if (answer.outcome === "rate-limited") return throttled(side, answer.retryAfterSeconds)
  const passing = passingFailure(side, response)
  if (passing !== null) return passing
  const { status } = response
  if (answer.outcome === "no-access") return denied(side, remedyFor(answer.why, asked.settings))
  if (status === 422 && asked.wanted !== null)
    return denied(side, unprocessable(messageOf(response), asked.settings, asked.wanted))
  if (status >= 400) return denied(side, `it answered with HTTP ${status}. Check the connection's api_url`)
  return invalid(side, "is not what GitHub's API says")
}

/** Why there is no access, and what to change. */
export const remedyFor = (why: NoAccessReason, settings: Connection): string => NO_ACCESS[why](settings)

const notInstalled = ({ owner }: Connection) =>
  `the App is not installed on ${owner}. Install it there, or correct owner, app_id and api_url of the connection`

const NO_ACCESS: Readonly<Record<NoAccessReason, (settings: Connection) => string>> = {
  "not-installed": notInstalled,
  "not-visible": notInstalled,
  suspended: ({ owner }) => `the App's installation on ${owner} is suspended. End that in the installation's settings`,
  permission: ({ owner }) =>
    `it does not let the App do that. See whether ${owner} or its enterprise limits Apps, or the addresses that they come from`,
  "app-rejected": () =>
    "it does not take the App's JWT. Check app_id and key of the connection: the key must be one of that App's, and not deleted; and check the broker's clock",
  "owner-changed": ({ owner }) =>
    `${owner} is another account than owner_id says. A name can be taken over: see who has it now, and correct the connection`,
}

/** What 422 means. Sentences of GitHub's that are not listed mean one of these two. */
function unprocessable(message: string, settings: Connection, wanted: Grant): string {
  const sentence = message.replace(/\.$/, "")
  const remedy = Object.hasOwn(UNPROCESSABLE, sentence) ? UNPROCESSABLE[sentence] : undefined
  if (remedy !== undefined) return remedy(settings, wanted)
  return `the App's installation on ${settings.owner} cannot give what the grant asks. Compare the grant's repositories and permissions with the installation's settings`
}

const UNPROCESSABLE: Readonly<Record<string, (settings: Connection, wanted: Grant) => string>> = {
  __proto__: null as never,
  "The permissions requested are not granted to this installation": ({ owner }, wanted) =>
    `the App's installation on ${owner} has not all of ${list(permissionsOf(wanted))}. Add what is missing to the App's permissions and have ${owner} accept it, or ask for less in the grant`,
  "There is at least one repository that does not exist or is not accessible to the parent installation": (
    { owner },
    wanted,
  ) =>
    `the App's installation on ${owner} does not reach all of ${list(namesOf(wanted))}. Choose what is missing in the installation's settings, or correct the grant: a renamed repository goes by its new name`,
}

function list(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN
  return more > 0 ? `${names.slice(0, NAMES_SHOWN).join(", ")} and ${more} more` : names.join(", ")
}
