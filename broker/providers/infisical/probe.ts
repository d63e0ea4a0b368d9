import { call, type OtherSide } from "../call.ts"
import {
  findingOf,
  PROBE_SUBJECT,
  type Probe,
  type ProbeIo,
  type Reading,
  refusalIn,
  tooOpen,
  trusted,
} from "../probe.ts"
import { audienceOf } from "../service.ts"
import { buildLogin, readLogin } from "./api.ts"
import type { Connection } from "./grant.ts"

/** What each status of the login proves. 401 is missing: keys, issuer, audience and claims of a job all give it. */
const STATES: Readonly<Partial<Record<number, Reading["state"]>>> = {
  400: "not_trusted",
  403: "trusted",
  404: "not_trusted",
}

/** Logs in as the machine identity. Infisical compares the subject after it has verified the token. */
export const probeInfisical: Probe<Connection> = {
  ask: async (connection, settings, io) => [
    await findingOf(`identity ${settings.identity_id}`, () =>
      askInfisical({ name: "Infisical", connection }, settings, io),
    ),
  ],
}

async function askInfisical(side: OtherSide, settings: Connection, io: ProbeIo): Promise<Reading> {
  const token = await io.identityToken(audienceOf(settings))
  const response = await call(side, buildLogin(settings, token), io)
  const who = `The identity ${settings.identity_id}`
  // The login is read by nobody, and ends by itself.
  if (response.status === 200) return tooOpen(who)
  const refusal = refusalIn(() => readLogin(side, response, PROBE_SUBJECT, io.now()))
  const state = STATES[response.status]
  if (state === "trusted") return trusted(who)
  if (state !== undefined) return { state, detail: refusal.detail }
  if (response.status === 401) return { state: "reachable", detail: SAYS_TOO_LITTLE }
  throw refusal
}

const SAYS_TOO_LITTLE =
  "Infisical answers, and refused the question in the way that stands for its keys, issuer, audiences and claims alike. Compare the identity's discovery URL and issuer with the broker's URL, and its audiences with the connection's audience."
