import { createHttp } from "../../broker/adapters/web/http.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { Secret } from "../../broker/core/secret.ts"
import { type Http, HttpError } from "../../broker/ports/http.ts"
import type { Minted, ProviderIo } from "../../broker/providers/provider.ts"
import { type Connection, connection, grant } from "../../broker/providers/vault/grant.ts"
import { vault as provider } from "../../broker/providers/vault/provider.ts"
import { job } from "../core/job.ts"
import type { GitHub } from "../support/github.ts"
import { makeProviderIo } from "../support/provider-io.ts"
import type { JwtRole } from "../support/vault/tokens.ts"
import { startVault, type Vault } from "../support/vault.ts"

const SUBJECT = "github:repository:41:environment:production:grant:vault"
export const TTL_SECONDS = 600

/** What goes wrong between the broker and Vault; paths are as a URL has them. */
export interface Trouble {
  /** Answers that are lost on the way, although Vault does what is asked. */
  lost: RegExp | null
  /** Calls that never get there. */
  cut: RegExp | null
  /** What becomes of the text of a login's answer. */
  spoil(answer: string): string
}

export interface VaultWorld {
  readonly vault: Vault
  readonly trouble: Trouble
  /** The role that nothing is special about: its tokens live as long as is granted. */
  readonly role: JwtRole
  mint(wanted: object, connectionChange?: object): Promise<Minted>
  /** What a mint failed of. @throws when it did not */
  failureOf(minting: Promise<Minted>): Promise<BrokerError>
  revoke(handle: Secret<string> | undefined): Promise<void>
  /** What the job does with its token, as `vault token renew -increment=24h` does. Seconds that it lives then. */
  renew(minted: Minted): Promise<number>
}

/** The provider and the Vault stand-in, with real HTTP between them. Any OIDC issuer can stand where the broker's key will. */
export async function makeVaultWorld(issuer: GitHub): Promise<VaultWorld> {
  const vault = await startVault()
  const trouble: Trouble = { lost: null, cut: null, spoil: (answer) => answer }
  const role: JwtRole = {
    boundAudiences: [vault.url],
    boundSubject: SUBJECT,
    policies: ["shop"],
    ttlSeconds: TTL_SECONDS,
  }
  vault.tokens.issuer = issuer.issuer
  vault.tokens.roles.set("shop", role)
  vault.tokens.policies.set("shop", {
    "secret/data/shop/*": ["read"],
    "legacy/shop": ["read", "update"],
    "database/creds/shop-rw": ["read"],
    "gcp/roleset/shop/token": ["read", "update"],
    "sys/leases/revoke": ["update"],
  })
  vault.engines.databaseRoles.set("shop-rw", { ttlSeconds: 3_600, maxTtlSeconds: 7_200 })
  vault.engines.put("shop/db", { password: "one" })
  vault.engines.putLegacy("shop", { password: "two", ttl: 300 })

  const direct = createHttp({ userAgent: "daypass-test/1" })
  const http: Http = async (request) => {
    const { pathname } = new URL(request.url)
    if (trouble.cut?.test(pathname)) throw new HttpError("unreachable")
    const response = await direct(request)
    if (pathname.endsWith("/auth/jwt/login")) {
      const body = new TextEncoder().encode(trouble.spoil(new TextDecoder().decode(response.body)))
      return { ...response, body }
    }
    return trouble.lost?.test(pathname) ? { ...response, status: 502 } : response
  }
  const identityToken: ProviderIo["identityToken"] = async (audience) =>
    new Secret(await issuer.mint({ sub: SUBJECT }, { audience }))
  const io = makeProviderIo({ http, now: () => new Date(), identityToken })
  const settings = (change: object = {}): Connection =>
    connection.parse({ url: vault.url, roles: ["*"], dynamic: { "database/creds/*": {} }, ...change })

  return {
    vault,
    trouble,
    role,
    mint: (wanted, connectionChange) =>
      provider.mint(
        {
          identity: job(),
          grantName: "vault",
          subject: SUBJECT,
          connectionName: "vault",
          connection: settings(connectionChange),
          grant: grant.parse(wanted),
          ttlSeconds: TTL_SECONDS,
          lease: "b7e1c9f0-0000-4000-8000-000000000000",
        },
        io,
      ),
    async failureOf(minting) {
      const outcome = await minting.catch((error: unknown) => error)
      if (!(outcome instanceof BrokerError)) throw new Error("expected a refusal", { cause: outcome })
      return outcome
    },
    async revoke(handle) {
      if (handle === undefined) throw new Error("nothing to take back")
      await provider.revoke?.(handle, "vault", io)
    },
    async renew({ values }) {
      const token = values["token"]?.value
      const response = await fetch(`${vault.url}/v1/auth/token/renew-self`, {
        method: "POST",
        headers: {
          "X-Vault-Request": "true",
          "X-Vault-Token": token instanceof Secret ? token.reveal() : "",
          "Content-Type": "application/json",
        },
        body: JSON.stringify({ increment: 86_400 }),
      })
      const { auth } = (await response.json()) as { readonly auth: { readonly lease_duration: number } }
      return auth.lease_duration
    },
  }
}
