import type { BrokerError } from "../../core/errors.ts"
import { type Answer, messageOf, type NoAccessReason } from "../../github/answer.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { denied, invalid, type OtherSide, throttled, transientFailure } from "../call.ts"
import { type Connection, type Grant, namesOf, permissionsOf } from "./grant.ts"

/** The request that was refused. */
export interface Asked {
  readonly settings: Connection
  /** Null when the request did not concern a grant. */
  readonly wanted: Grant | null
}

/** How many names of a list are shown. The rest is counted. */
const NAMES_SHOWN = 5

/**
 * The meaning of a refusal for a job. GitHub has no error codes, so its status and a few known messages are distinguished.
 * No text from GitHub is put into an error.
 */
export function refusalOf(
  side: OtherSide,
  response: HttpResponse,
  answer: Exclude<Answer, { readonly outcome: "ok" }>,
  asked: Asked,
): BrokerError {
  if (answer.outcome === "rate-limited") return throttled(side, answer.retryAfterSeconds)
  const transient = transientFailure(side, response)
  if (transient !== null) return transient
  const { status } = response
  if (answer.outcome === "no-access" && answer.why === "app-rejected" && status === 404)
    return denied(
      side,
      "it has no App with the connection's app_id. Correct app_id: it is on the App's settings page. With GitHub Enterprise Server, check api_url too",
    )
  if (answer.outcome === "no-access") return denied(side, remedyFor(answer.why, asked.settings))
  if (status === 422 && asked.wanted !== null)
    return denied(side, unprocessable(messageOf(response), asked.settings, asked.wanted))
  if (status >= 400) return denied(side, `it answered with HTTP ${status}. Check the connection's api_url`)
  return invalid(side, "does not have the form of GitHub's API")
}

/** What to change when there is no access. */
export const remedyFor = (why: NoAccessReason, settings: Connection): string => NO_ACCESS[why](settings)

const notInstalled = ({ owner }: Connection) =>
  `the App is not installed on ${owner}. Install it there, or correct owner, app_id and api_url of the connection`

const NO_ACCESS: Readonly<Record<NoAccessReason, (settings: Connection) => string>> = {
  "not-installed": notInstalled,
  "not-visible": notInstalled,
  suspended: ({ owner }) =>
    `the App's installation on ${owner} is suspended. Unsuspend it in the installation's settings`,
  permission: ({ owner }) =>
    `it does not allow this to the App. Check whether ${owner} or its enterprise restricts Apps, or the addresses that they call from`,
  "app-rejected": () =>
    "it does not accept the App's JWT. Check app_id and key of the connection: the key must belong to that App and must not be deleted. Also check the broker's clock",
  "owner-changed": ({ owner }) =>
    `the account ${owner} does not have the id owner_id. A name can be taken over: check who has it now, and correct the connection`,
}

/** The meaning of 422. A message of GitHub that is not listed gets the general sentence. */
function unprocessable(message: string, settings: Connection, wanted: Grant): string {
  const sentence = message.replace(/\.$/, "")
  const remedy = Object.hasOwn(UNPROCESSABLE, sentence) ? UNPROCESSABLE[sentence] : undefined
  if (remedy !== undefined) return remedy(settings, wanted)
  return `the App's installation on ${settings.owner} cannot issue the token for this grant. Compare the grant's repositories and permissions with the installation's settings`
}

const UNPROCESSABLE: Readonly<Record<string, (settings: Connection, wanted: Grant) => string>> = {
  __proto__: null as never,
  "The permissions requested are not granted to this installation": ({ owner }, wanted) =>
    `the App's installation on ${owner} lacks some of ${list(permissionsOf(wanted))}. Add the missing permissions to the App and accept them for ${owner}, or remove them from the grant`,
  "There is at least one repository that does not exist or is not accessible to the parent installation": (
    { owner },
    wanted,
  ) =>
    `the App's installation on ${owner} does not include all of ${list(namesOf(wanted))}. Add the missing repositories in the installation's settings, or correct the grant: a renamed repository needs its new name`,
}

function list(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN
  return more > 0 ? `${names.slice(0, NAMES_SHOWN).join(", ")} and ${more} more` : names.join(", ")
}
