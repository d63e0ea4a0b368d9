import {
  askEach,
  findingOf,
  PROBE_SUBJECT,
  type Probe,
  type ProbeIo,
  type Reading,
  tooOpen,
  trusted,
} from "../probe.ts"
import { buildAssumeRole, describe, readFailure } from "./api.ts"
import { audienceOf, type Connection } from "./grant.ts"
import { endpointOf, partitionOf } from "./partitions.ts"
import type { AwsStoreSettings } from "./store-settings.ts"

/** The shortest session that STS opens, should a role let the probe in. */
const SESSION_SECONDS = 900

/**
 * Asks STS for a role that no account has. STS looks at the token first: without an IAM OIDC provider for the broker in the
 * account it answers InvalidIdentityToken, whatever role was named, and AccessDenied only after it has accepted the token.
 * (Seen in reports of users, who got the former for accounts and roles that do not exist; AWS documents no order.)
 */
export const probeAws: Probe<Connection> = {
  ask: (connection, { region, accounts, endpoint, ...settings }, io) =>
    askEach(
      accounts,
      (account) => `account ${account}`,
      (account) => {
        const role = `arn:${partitionOf(region).name}:iam::${account}:role/${PROBE_SUBJECT}`
        const sts = { endpoint: endpoint ?? endpointOf("sts", region), audience: audienceOf({ region, ...settings }) }
        return askSts({ connection, role, who: `AWS account ${account}`, ...sts }, io)
      },
    ),
}

/** A store's connection names its role, so the role itself is asked. */
export const probeAwsStore: Probe<AwsStoreSettings> = {
  async ask(connection, { region, role, audience, sts_endpoint: endpoint = endpointOf("sts", region) }, io) {
    const about = { connection, role, endpoint, audience, who: `The account of ${role}` }
    return [await findingOf(role, () => askSts(about, io))]
  },
}

interface Asked {
  readonly connection: string
  readonly role: string
  readonly endpoint: string
  readonly audience: string
  readonly who: string
}

/** The account does not know the broker, or AWS cannot verify its token. */
const NOT_TRUSTED: ReadonlySet<string> = new Set([
  "InvalidIdentityToken",
  "IDPRejectedClaim",
  "IDPCommunicationError",
  "ExpiredToken",
])

async function askSts({ connection, role, endpoint, audience, who }: Asked, io: ProbeIo): Promise<Reading> {
  const { assumeRole } = await import("./sts-client.ts")
  const token = await io.identityToken(audience)
  const wish = { role, name: PROBE_SUBJECT, seconds: SESSION_SECONDS, accounts: [] }
  try {
    await assumeRole(endpoint, buildAssumeRole(wish, token), io)
    // The answer's session is read by nobody, and ends by itself.
    return tooOpen(role)
  } catch (error) {
    const { name } = describe(error)
    if (name === "AccessDenied") return trusted(who)
    const failure = readFailure({ name: "AWS STS", connection }, error, { subject: PROBE_SUBJECT, audience })
    if (NOT_TRUSTED.has(name)) return { state: "not_trusted", detail: failure.detail }
    throw failure
  }
}
