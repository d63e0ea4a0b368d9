import { IDENTITY_TOKEN_SECONDS } from "../core/duration.ts"
import type { Identity } from "../core/identity.ts"
import type { Connection } from "../core/policy/model.ts"
import type { Secret } from "../core/secret.ts"
import { nameOf } from "../core/secret-reference.ts"
import type { Login } from "../ports/logins.ts"
import type { CallIo, ProviderIo } from "../providers/provider.ts"
import { identityTokenClaims } from "../signing/identity-token.ts"
import { operatorTokenClaims } from "../signing/operator-token.ts"
import type { Broker } from "./broker.ts"
import { loginKey } from "./login-key.ts"

interface Act {
  readonly identity: Identity
  readonly grant: string
  readonly connection: Connection
  /** RFC 7638 thumbprint of the key that the exchange proved; null when it had none. */
  readonly holder: string | null
  /** Stores a prepared handle on the lease. */
  prepare(handle: Secret<string>, expiresAt: Date | null): Promise<void>
}

/** What a provider may use for calls, limited to a window of time. */
export function callIo(broker: Broker, windowMs: number): CallIo {
  const { http, clock } = broker
  const endsAt = clock.elapsed() + windowMs
  const remainingMs = () => Math.max(0, endsAt - clock.elapsed())
  return {
    http,
    now: () => clock.now(),
    remainingMs,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, remainingMs()))),
  }
}

/** Everything that a provider may use for one grant, limited to a window of time. */
export function providerIo(broker: Broker, about: Act, windowMs: number): ProviderIo {
  /** Grants of one call that need the same login share it, also while it is being made. */
  async function madeOnce<Value>(key: string, make: () => Promise<Login<Value>>): Promise<Login<Value>> {
    const making = broker.oneCall?.making
    const shared = making?.get(key) as Promise<Login<Value>> | undefined
    if (shared !== undefined) return await shared
    const login = make()
    making?.set(key, login)
    try {
      return await login
    } finally {
      making?.delete(key)
    }
  }

  return {
    ...callIo(broker, windowMs),
    prepare: about.prepare,
    secret: (reference) => broker.connectionSecrets.named(nameOf(reference)),
    async login<Value>(scope: string, make: () => Promise<Login<Value>>, of: "grant" | "connection" = "grant") {
      const key = loginKey(of === "grant" ? about : { ...about, identity: null }, scope)
      const forget = () => broker.logins.forget(key)
      // The cast is safe: only the connection's provider writes under this key, always with a result of `make` for this
      // scope.
      const known = broker.logins.get(key) as Login<Value> | undefined
      if (known !== undefined) return { value: known.value, kept: true, forget }
      const login = await madeOnce(key, make)
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
    async operatorToken(rights) {
      const { identity, grant, holder } = about
      return await broker.signer.sign(
        operatorTokenClaims({ ...rights, issuer: broker.url, identity, grant, holder, now: broker.clock.now() }),
      )
    },
  }
}
