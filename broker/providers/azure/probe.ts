import { call } from "../call.ts"
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
import { buildTokenRequest, codesOf, readRefusal } from "./api.ts"
import type { Connection, Entra } from "./grant.ts"
import { type Connection as KeyVault, scopeOf } from "./key-vault/grant.ts"
import { sideOf } from "./wish.ts"

/** Every tenant knows it, in the cloud of the default authority. */
const SCOPE = "https://management.azure.com/.default"

/** Entra found a credential with the broker's issuer and audience, and none with the probe's subject. */
const TRUSTED: ReadonlySet<number> = new Set([700213, 7002137, 7002138])

/**
 * There is no such client or tenant, no credential with the broker's issuer or audience, or Entra cannot verify the token.
 * 70021 and 70025 are not among them: they do not say which part of a credential did not match.
 */
const NOT_TRUSTED: ReadonlySet<number> = new Set([
  ...[700016, 70001, 700011, 7000229, 7000112, 700025, 90002],
  ...[700211, 700212],
  ...[700024, 700027, 7000272, 50027, 50013, 50166, 501661, 90061],
])

/** Asks Entra for a token of each client. */
export const probeAzure: Probe<Connection> = {
  ask: (connection, { client_ids: clients, ...settings }, io) =>
    askEach(
      clients,
      (clientId) => `client ${clientId}`,
      (clientId) => askEntra({ connection, settings, clientId, scope: SCOPE }, io),
    ),
}

export const probeKeyVault: Probe<KeyVault> = {
  async ask(connection, settings, io) {
    const { client_id: clientId } = settings
    const asked = { connection, settings, clientId, scope: scopeOf(settings) }
    return [await findingOf(`client ${clientId}`, () => askEntra(asked, io))]
  },
}

interface Asked {
  readonly connection: string
  readonly settings: Entra
  readonly clientId: string
  readonly scope: string
}

async function askEntra({ connection, ...about }: Asked, io: ProbeIo): Promise<Reading> {
  const side = sideOf(connection)
  const wish = { ...about, subject: PROBE_SUBJECT }
  const token = await io.identityToken(about.settings.audience)
  const response = await call(side, buildTokenRequest(wish, token), io)
  // The token is read by nobody, and ends by itself.
  if (response.status === 200) return tooOpen(`Client ${about.clientId}`)
  const codes = codesOf(response)
  if (codes.some((code) => TRUSTED.has(code))) return trusted(`Client ${about.clientId}`)
  const refusal = readRefusal(side, response, wish)
  if (codes.some((code) => NOT_TRUSTED.has(code))) return { state: "not_trusted", detail: refusal.detail }
  throw refusal
}
