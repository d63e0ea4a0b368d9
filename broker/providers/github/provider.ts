import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import { importAppKey } from "../../github/app-key.ts"
import { makeAppToken } from "../../github/app-token.ts"
import type { Login } from "../../ports/logins.ts"
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
    const given = await withLogin(
      io,
      "app",
      () => logIn(asking),
      (login) => requestToken(asking, wanted, login),
      // Nothing of the job is sent for it.
      "connection",
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
  readonly io: CallIo & Pick<ProviderIo, "secret">
}

/** The App's JWT, and the id of its installation on the connection's owner. */
interface AppLogin {
  readonly app: Secret<string>
  readonly installation: number
}

/**
 * Logs in as the App. The login is cached as long as its JWT is valid: a signature and a look-up for each token would double
 * what a mint costs. GitHub refuses it when the installation is gone or the key was deleted, and then it is made anew.
 *
 * A replaced key is used immediately: an operator's secret only changes with a new process or a new version of the Worker,
 * which has no cached login.
 */
export async function logIn({ side, settings, io }: Asking): Promise<Login<AppLogin>> {
  const { app_id: id, key } = settings
  const imported = await importAppKey(await io.secret(key))
  if (!imported.ok) {
    const message = `The private key that connection ${side.connection} names as ${key} ${imported.fault}`
    throw new BrokerError("configuration_invalid", message)
  }
  const { token: app, expiresAt } = await makeAppToken(id, imported.value, io.now())
  const installation = await retryFailing(io, async () => {
    const response = await call(side, buildFindInstallation(settings, app), io)
    return readInstallation(side, response, settings, io.now())
  })
  return { value: { app, installation }, endsAt: new Date(expiresAt * 1000) }
}

/**
 * Sent only once. Without an answer, or with the answer of a proxy, the token may still exist. A retry would not end it,
 * and would make a second one.
 */
async function requestToken(
  { side, settings, io }: Asking,
  wanted: Grant,
  { app, installation }: AppLogin,
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
