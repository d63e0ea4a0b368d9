import { IDENTITY_TOKEN_SECONDS } from "../core/duration.ts"
import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { Connection } from "../core/policy/model.ts"
import { nameOf } from "../core/secret-reference.ts"
import type { Login } from "../ports/logins.ts"
import type { ProviderIo } from "../providers/provider.ts"
import { identityTokenClaims } from "../signing/identity-token.ts"
import type { Broker } from "./broker.ts"
import { loginKey } from "./login-key.ts"

interface Act {
  /** Null where a credential is taken back by the broker itself. */
  readonly identity: Identity | null
  readonly grant: string
  readonly connection: Connection
}

/** Opens a window of time in which one provider may act about one grant. What it may touch is all in the answer. */
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
      // Only the connection's own provider writes below its key, always with what `make` for that scope makes.
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
        throw new BrokerError("internal", "A provider asked for an identity token where there is no identity.")
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
