import {
  askEach,
  PROBE_SUBJECT,
  type Probe,
  type ProbeIo,
  type Reading,
  refusalIn,
  tooOpen,
  trusted,
} from "../probe.ts"
import { audienceOf } from "../service.ts"
import { ask, REVOKE_SELF, says, type Vault, vaultOf } from "./api.ts"
import type { Connection } from "./grant.ts"
import { buildLogin, readLogin, revocableTokenOf } from "./session.ts"

/** Vault compares the subject and the other claims after it has verified the signature and the issuer. */
const REFUSES_THE_SUBJECT = ["invalid subject (sub) claim", "error validating claims"]

const NO_SUCH_ROLE = "could not be found"

/** Vault does not know the broker, cannot verify its tokens, or wants another audience. */
const DOES_NOT_TRUST = [
  "invalid issuer (iss) claim",
  "error verifying token signature",
  "error configuring token validator",
  "could not load configuration",
  "invalid audience (aud) claim",
  "no audiences bound to the role",
  "invalid expiration time (exp) claim",
  "invalid issued at (iat) claim",
  "invalid not before (nbf) claim",
]

/** There is no such auth method, or the role is bound to other addresses: Vault's answer is the same. */
const NOTHING_THERE: ReadonlySet<number> = new Set([403, 404])

/**
 * Logs in with each role that the connection names in full. A role that Vault does not have proves that the auth method is
 * there: so one is asked for where the connection has patterns alone.
 */
export const probeVault: Probe<Connection> = {
  ask(connection, settings, io) {
    const named = settings.roles.filter((role) => !role.includes("*"))
    return askEach(
      named.length > 0 ? named : [PROBE_SUBJECT],
      (role) => (named.length > 0 ? `role ${role}` : `auth/${settings.mount}`),
      (role) => askRole(vaultOf(connection, settings), settings, role, io),
    )
  },
}

async function askRole(vault: Vault, settings: Connection, role: string, io: ProbeIo): Promise<Reading> {
  const jwt = await io.identityToken(audienceOf(settings))
  const response = await ask(vault, buildLogin(settings.mount, role, jwt), io)
  if (response.status === 200) {
    const token = revocableTokenOf(response)
    if (token !== null) await ask(vault, { method: "POST", path: REVOKE_SELF, token }, io)
    return tooOpen(`The role ${role}`)
  }
  if (REFUSES_THE_SUBJECT.some((phrase) => says(response, phrase))) return trusted(`The role ${role}`)
  if (says(response, NO_SUCH_ROLE)) {
    const detail =
      role === PROBE_SUBJECT
        ? `The auth method at auth/${settings.mount} answers. The connection names its roles by patterns, so none was asked whether it trusts the broker.`
        : `The auth method at auth/${settings.mount} answers, and has no role ${role}. Make the role, or remove it from the connection's roles.`
    return { state: "reachable", detail }
  }
  const refusal = refusalIn(() => readLogin(vault, response, { role, subject: PROBE_SUBJECT }))
  const isDistrust = NOTHING_THERE.has(response.status) || DOES_NOT_TRUST.some((phrase) => says(response, phrase))
  if (isDistrust) return { state: "not_trusted", detail: refusal.detail }
  throw refusal
}
