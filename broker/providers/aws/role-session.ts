import type { Login } from "../../ports/logins.ts"
import type { SubjectLimit } from "../../wire/subject.ts"
import type { OtherSide } from "../call.ts"
import type { MintRequest, ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { buildAssumeRole, readCredentials, readFailure, type SessionCredentials, type SessionWish } from "./api.ts"
import type { Connection } from "./grant.ts"
import { endpointOf } from "./partitions.ts"
import { sessionName, sessionTags, TAGS_CLAIM } from "./session.ts"

/** The maximum length of `SubjectFromWebIdentityToken` (API reference of STS, AssumeRoleWithWebIdentity). */
export const SUBJECT_LIMIT: SubjectLimit = { bytes: 255, place: "AWS STS" }

/** AWS's SDK: a quarter of what a broker loads at its start, if it were loaded before the first session of a role. */
const loadStsClient = () => import("./sts-client.ts")

/** The settings with which a connection calls STS. */
export interface StsSettings extends Pick<Connection, "region" | "session_tags" | "endpoint"> {
  readonly audience: string
}

/**
 * Opens a session of a role with the broker's identity token for this job and grant. Throttling and failures of STS are
 * retried: each attempt creates a new session, and a session whose answer was lost expires.
 *
 * @throws {BrokerError} `provider_denied`, `provider_throttled`, `provider_unavailable`, `provider_response_invalid`
 */
export async function openSession(
  about: Omit<SessionWish, "name">,
  sts: StsSettings,
  request: Pick<MintRequest<unknown, unknown>, "identity" | "grantName" | "connectionName" | "subject">,
  io: ProviderIo,
): Promise<Login<SessionCredentials>> {
  const side: OtherSide = { name: "AWS STS", connection: request.connectionName }
  const { identity, grantName, subject } = request
  const wish = { ...about, name: sessionName(identity) }
  const endpoint = sts.endpoint ?? endpointOf("sts", sts.region)
  const { assumeRole } = await loadStsClient()
  return await retryTransient(io, async () => {
    try {
      const claims = sts.session_tags ? { [TAGS_CLAIM]: sessionTags(identity, grantName) } : {}
      const token = await io.identityToken(sts.audience, { claims })
      return readCredentials(side, await assumeRole(endpoint, buildAssumeRole(wish, token), io), wish, io.now())
    } catch (error) {
      throw readFailure(side, error, { subject, audience: sts.audience })
    }
  })
}
