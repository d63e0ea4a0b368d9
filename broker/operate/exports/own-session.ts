import { BrokerError } from "../../core/errors.ts"
import type { Identity } from "../../core/identity.ts"
import type { Connection } from "../../core/policy/model.ts"
import { Secret } from "../../core/secret.ts"
import type { Broker } from "../../exchange/broker.ts"
import { providerIo } from "../../exchange/provider-io.ts"
import type { Minted } from "../../providers/provider.ts"
import { identityTokenSubject } from "../../wire/subject.ts"

/** The shortest session that STS gives. */
const TTL_SECONDS = 900
/** A session that ends so soon is not used any more. */
const MARGIN_MS = 60_000
const WINDOW_MS = 10_000

/** Short-lived credentials of a role, for what the broker does by itself. They never leave its memory. */
export interface OwnSession {
  /** @throws {BrokerError} `provider_*`, `configuration_invalid` */
  credentials(): Promise<SessionKeys>
  /** After a refusal: the next call asks for new ones. */
  forget(): void
}

export interface SessionKeys {
  readonly accessKeyId: Secret<string>
  readonly secretAccessKey: Secret<string>
  readonly sessionToken: Secret<string>
}

/**
 * Logs in with the broker's own identity token, as a job's grant of the connection would. The token's `sub` is
 * `_daypass:service_account:broker:environment:-:grant:NAME`. No issuer of an organisation file can have a name with `_`, so no
 * job ever has this subject.
 */
export function createOwnSession(name: string, role: string, connection: Connection, broker: Broker): OwnSession {
  let known: { readonly keys: SessionKeys; readonly endsAt: number } | null = null
  const identity = ownIdentity(broker.url)

  async function open(): Promise<Minted> {
    const provider = broker.providers.get(connection.provider)
    if (provider === undefined) throw new BrokerError("internal", `This broker has no provider ${connection.provider}.`)
    const about = { identity, grant: name, connection, holder: null, prepare: async () => {} }
    const io = providerIo(broker, about, WINDOW_MS)
    const grant = provider.grant.parse({ role })
    return await provider.mint(
      {
        identity,
        grantName: name,
        subject: identityTokenSubject(identity, name),
        connectionName: connection.name,
        connection: connection.settings,
        grant,
        ttlSeconds: TTL_SECONDS,
        lease: "",
      },
      io,
    )
  }

  return {
    async credentials() {
      if (known !== null && broker.clock.now().getTime() < known.endsAt - MARGIN_MS) return known.keys
      const { values, expiresAt } = await open()
      const secret = (part: string) => {
        const value = values[part]?.value
        return value instanceof Secret ? value : new Secret(value ?? "")
      }
      const keys = {
        accessKeyId: secret("access-key-id"),
        secretAccessKey: secret("secret-access-key"),
        sessionToken: secret("session-token"),
      }
      known = { keys, endsAt: expiresAt?.getTime() ?? 0 }
      return keys
    },
    forget() {
      known = null
    },
  }
}

/** Who the broker is when it logs in for itself. */
const ownIdentity = (url: string): Identity => ({
  issuer: "_daypass",
  issuerUrl: url,
  unitKind: "service_account",
  unit: "broker",
  unitId: "broker",
  owner: "daypass",
  ownerId: "daypass",
  ref: null,
  refType: null,
  event: null,
  actor: null,
  actorId: null,
  runId: "",
  runAttempt: "",
  cautions: [],
  claims: {},
})
