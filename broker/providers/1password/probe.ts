import { call, type OtherSide } from "../call.ts"
import { findingOf, type Probe, type ProbeIo, type Reading } from "../probe.ts"
import { buildGet } from "./api.ts"
import type { Connection } from "./grant.ts"

/** Asks the Connect server for the list of vaults, with the operator's token: it needs no token of the broker. */
export const probeOnePassword: Probe<Connection> = {
  ask: async (connection, settings, io) => [
    await findingOf(settings.url, () => askConnect({ name: "1Password Connect", connection }, settings, io)),
  ],
}

async function askConnect(side: OtherSide, settings: Connection, io: ProbeIo): Promise<Reading> {
  const response = await call(side, buildGet(settings, await io.secret(settings.token), "vaults"), io)
  if (response.status === 200) {
    return { state: "trusted", detail: "The Connect server accepts the token. Which vaults it may read is not asked." }
  }
  if (response.status === 401 || response.status === 403) return { state: "not_trusted", detail: REFUSED }
  return { state: response.status >= 500 ? "unreachable" : "unknown", detail: `It answered HTTP ${response.status}.` }
}

const REFUSED =
  "The Connect server does not accept the token. Make a new one for this server, and set the secret again."
