import { call, type OtherSide } from "../call.ts"
import { findingOf, PROBE_SUBJECT, type Probe, type ProbeIo, type Reading, refusalIn, tooOpen } from "../probe.ts"
import { audienceOf } from "../service.ts"
import { buildLogin, readLogin } from "./api.ts"
import type { Connection } from "./grant.ts"

/** Logs in as the service account's identity. Doppler gives the reason of a refusal in no code. */
export const probeDoppler: Probe<Connection> = {
  ask: async (connection, settings, io) => [
    await findingOf(`identity ${settings.identity}`, () => askDoppler({ name: "Doppler", connection }, settings, io)),
  ],
}

async function askDoppler(side: OtherSide, settings: Connection, io: ProbeIo): Promise<Reading> {
  const token = await io.identityToken(audienceOf(settings))
  const response = await call(side, buildLogin(settings, token), io)
  // The login is read by nobody, and ends by itself.
  if (response.status === 200) return tooOpen(`The identity ${settings.identity}`)
  const refusal = refusalIn(() => readLogin(side, response, PROBE_SUBJECT, io.now()))
  if (refusal.code === "provider_denied") return { state: "reachable", detail: SAYS_NO_REASON }
  throw refusal
}

const SAYS_NO_REASON =
  "Doppler answers, and its refusal has no code for the reason. So this does not tell whether it trusts the broker: an exchange does."
