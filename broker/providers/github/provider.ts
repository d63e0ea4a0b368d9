import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import { importAppKey } from "../../github/app-key.ts"
import { makeAppToken } from "../../github/app-token.ts"
import { call, invalid, type OtherSide } from "../call.ts"
import { withLogin } from "../login.ts"
import { type CallIo, LeftAliveError, type Provider, type ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { tokenFor } from "../tool-login.ts"
import {
  buildFindInstallation,
  buildTokenRequest,
  buildTokenRevocation,
  type Given,
  readInstallation,
  readRevocation,
  readToken,
} from "./api.ts"
import {
  type Connection,
  connection,
  type Grant,
  grant,
  MAX_TTL_SECONDS,
  MIN_TTL_SECONDS,
  namesOf,
  resourceOf,
} from "./grant.ts"
import { handleOf, openHandle } from "./handle.ts"
import { isIssuerBeside } from "./issuer.ts"
import { loginsOf, toolFaultOf } from "./logins.ts"
import { organisationWide, writes } from "./reach.ts"

/** The first variable that the gh command reads. Variables that begin with GITHUB_ belong to the runner. */
const DEFAULT_VARIABLE = "GH_TOKEN"

/**
 * How long an installation's id is cached. When the installation is gone, GitHub refuses it and the id is looked up again.
 */
const INSTALLATION_KNOWN_MS = 60 * 60_000

/** For some seconds, GitHub answers 401 to a new token that not all of its machines know. The third 401 counts as final. */
const UNKNOWN_ANSWERS = 3
const UNKNOWN_PAUSE_MS = 2_500

/** Installation tokens of a GitHub App, for exactly the repositories and permissions that a grant names. */
export const github: Provider<Connection, Grant> = {
  name: "github",
  summary: "a GitHub App's token for the named repositories and permissions, and no more",
  ends: "revoked with the lease",
  connection,
  grant,
  check: toolFaultOf,

  /**
   * A gap is filled with a name without its owner, so a job of acme-labs/ops would get a token for acme/ops. Another server
   * or CI can give the same id to an owner of its own.
   */
  checkFilled({ owner, owner_id: ownerId, api_url: apiUrl }, job) {
    if (job.ownerId === ownerId && isIssuerBeside(apiUrl, job.issuerUrl)) return null
    return `its repositories belong to ${owner}, but the job belongs to another owner, whose repositories may have the same names: write the repositories out, or use a connection to the job's owner`
  },

  minTtlSeconds: MIN_TTL_SECONDS,
  maxTtlSeconds: MAX_TTL_SECONDS,

  organisationWide,
  writes,
  resource: resourceOf,

  token: (wanted, { owner }) => ({
    value: "token",
    type: "access_token",
    repositories: namesOf(wanted).map((name) => `${owner}/${name}`),
  }),

  async mint({ connection: settings, connectionName, grant: wanted }, io) {
    const asking: Asking = { side: sideOf(connectionName), settings, io }
    const app = await appToken(asking)
    const given = await withLogin(
      io,
      "installation",
      async () => ({
        value: await findInstallation(asking, app),
        endsAt: new Date(io.now().getTime() + INSTALLATION_KNOWN_MS),
      }),
      (installation) => requestToken(asking, wanted, installation, app),
      // It does not depend on the grant, and several grants of an exchange ask for it at once.
      "job",
    )
    const handle = handleOf(settings, given.token)
    if (given.outcome === "other") {
      const failure = invalid(asking.side, given.how)
      const { expiresAt } = given
      await revokeToken(asking.side, settings.api_url, given.token, io).catch(() => {
        throw new LeftAliveError(failure, { handle, expiresAt })
      })
      throw failure
    }
    const logins = loginsOf(wanted, settings)
    return {
      values: { token: tokenFor(given.token, { env: wanted.env, by: DEFAULT_VARIABLE, logins }) },
      expiresAt: given.expiresAt,
      revocation: "revocable",
      handle,
    }
  },

  /** A token's own text is all that can revoke it, and it lives an hour, whatever was granted. */
  unrecordedSeconds: () => MAX_TTL_SECONDS,

  async revoke(handle, connectionName, io) {
    const { apiUrl, token } = openHandle(handle)
    await revokeToken(sideOf(connectionName), apiUrl, token, io)
  },
}

const sideOf = (connection: string): OtherSide => ({ name: "GitHub", connection })

/** The called service, the connection's settings and the provider's ports. */
interface Asking {
  readonly side: OtherSide
  readonly settings: Connection
  readonly io: ProviderIo
}

async function appToken({ side, settings, io }: Asking): Promise<Secret<string>> {
  const { app_id: id, key } = settings
  const imported = await importAppKey(await io.secret(key))
  if (!imported.ok) {
    const message = `The private key that connection ${side.connection} names as ${key} ${imported.fault}`
    throw new BrokerError("configuration_invalid", message)
  }
  return (await makeAppToken(id, imported.value, io.now())).token
}

function findInstallation({ side, settings, io }: Asking, app: Secret<string>): Promise<number> {
  return retryFailing(io, async () => {
    const response = await call(side, buildFindInstallation(settings, app), io)
    return readInstallation(side, response, settings, io.now())
  })
}

/**
 * Sent only once. Without an answer, or with the answer of a proxy, the token may still exist. A retry would not end it,
 * and would make a second one.
 */
async function requestToken(
  { side, settings, io }: Asking,
  wanted: Grant,
  installation: number,
  app: Secret<string>,
): Promise<Given> {
  const response = await call(side, buildTokenRequest(settings, wanted, installation, app), io)
  return readToken(side, response, { settings, wanted }, io.now())
}

/** Revokes a token. A token that no longer exists counts as revoked. Safe to repeat. */
async function revokeToken(side: OtherSide, apiUrl: string, token: Secret<string>, io: CallIo): Promise<void> {
  for (let asked = 1; ; asked++) {
    const end = await retryFailing(io, async () => {
      const response = await call(side, buildTokenRevocation(apiUrl, token), io)
      return readRevocation(side, response, io.now())
    })
    if (end === "ended" || asked === UNKNOWN_ANSWERS) return
    await io.sleep(UNKNOWN_PAUSE_MS)
  }
}

/** Retries failures of GitHub, but never after a rate limit: clients that continue to send requests may be banned. */
async function retryFailing<Value>(io: CallIo, attempt: () => Promise<Value>): Promise<Value> {
  const settled = await retryTransient(io, () =>
    attempt().then(
      (value) => ({ value }),
      (error: unknown) => {
        if (error instanceof BrokerError && error.code === "provider_throttled") return { error }
        throw error
      },
    ),
  )
  if ("error" in settled) throw settled.error
  return settled.value
}
