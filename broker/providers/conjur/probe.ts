import { call, type OtherSide } from "../call.ts"
import { findingOf, PROBE_SUBJECT, type Probe, type ProbeIo, type Reading, refusalIn, tooOpen } from "../probe.ts"
import { audienceOf } from "../service.ts"
import { buildLogin, readLogin } from "./api.ts"
import type { Connection } from "./grant.ts"

/** Logs in at the JWT authenticator. Conjur refuses every token with 401 and nothing more, whatever the reason. */
export const probeConjur: Probe<Connection> = {
  ask: async (connection, settings, io) => [
    await findingOf(`authn-jwt/${settings.authenticator}`, () =>
      askConjur({ name: "Conjur", connection }, settings, io),
    ),
  ],
}

async function askConjur(side: OtherSide, settings: Connection, io: ProbeIo): Promise<Reading> {
  const token = await io.identityToken(audienceOf(settings))
  const response = await call(side, buildLogin(settings, token), io)
  // The access token is read by nobody, and ends by itself.
  if (response.status === 200) return tooOpen(`The authenticator ${settings.authenticator}`)
  if (response.status === 401) return { state: "reachable", detail: SAYS_NO_REASON }
  const refusal = refusalIn(() => readLogin(side, response, PROBE_SUBJECT, io.now()))
  if (response.status === 403 || response.status === 404) return { state: "not_trusted", detail: refusal.detail }
  throw refusal
}

const SAYS_NO_REASON =
  "Conjur answers, and refused the question without a reason, as it does for every token. So this does not tell whether it trusts the broker: its log does."
