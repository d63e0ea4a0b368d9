import { IDENTITY_TOKEN_SECONDS } from "../core/duration.ts"
import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { Connection } from "../core/policy/model.ts"
import type { Login } from "../ports/logins.ts"
import type { ProviderIo } from "../providers/provider.ts"
import { nameOf } from "../providers/secret-reference.ts"
import { identityTokenClaims } from "../signing/identity-token.ts"
import type { Broker } from "./broker.ts"
import { loginKey } from "./login-key.ts"

interface Act {
  /** Null for a revocation, which needs no identity. */
  readonly identity: Identity | null
  readonly grant: string
  readonly connection: Connection
}

/** Everything that a provider may use for one grant, limited to a window of time. */
export function providerIo(broker: Broker, about: Act, windowMs: number): ProviderIo {
  const endsAt = broker.clock.now().getTime() + windowMs
  const remainingMs = () => Math.max(0, endsAt - broker.clock.now().getTime())
  return {
    http: broker.http,
    now: () => broker.clock.now(),
    remainingMs,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, remainingMs()))),
    secret: (reference) => broker.connectionSecrets.named(nameOf(reference)),
    async login<Value>(scope: string, make: () => Promise<Login<Value>>) {
      const key = loginKey(about, scope)
      const forget = () => broker.logins.forget(key)
      // The cast is safe: only the connection's provider writes under this key, always with a result of `make` for this
      // scope.
      const known = broker.logins.get(key) as Login<Value> | undefined
      if (known !== undefined) return { value: known.value, kept: true, forget }
      const login = await make()
      broker.logins.keep(key, login)
      return { value: login.value, kept: false, forget }
    },
    kept(of) {
      const key = (locator: string) => loginKey(of === "job" ? about : { ...about, identity: null }, locator)
      return {
        get: (locator) => broker.keptValues.get(key(locator)),
        keep: (locator, value, seconds) => broker.keptValues.keep(key(locator), value, seconds),
      }
    },
    identityToken(audience, options = {}) {
      if (about.identity === null) {
        throw new BrokerError("internal", "A provider requested an identity token during a revocation.")
      }
      return broker.signer.sign(
        identityTokenClaims({
          issuer: broker.url,
          audience,
          identity: about.identity,
          grant: about.grant,
          extra: options.claims ?? {},
          now: broker.clock.now(),
          ttlSeconds: options.ttlSeconds ?? IDENTITY_TOKEN_SECONDS,
          id: crypto.randomUUID(),
        }),
      )
    },
  }
}
