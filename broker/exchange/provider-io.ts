import { IDENTITY_TOKEN_SECONDS } from "../core/duration.ts"
import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { ProviderIo } from "../providers/provider.ts"
import { identityTokenClaims } from "../signing/identity-token.ts"
import type { Broker } from "./broker.ts"

/** Opens a window of time in which one provider may act about one grant. What it may touch is all in the answer. */
export function providerIo(
  broker: Broker,
  about: { readonly identity: Identity | null; readonly grant: string },
  windowMs: number,
): ProviderIo {
  const endsAt = broker.clock.now().getTime() + windowMs
  const remainingMs = () => Math.max(0, endsAt - broker.clock.now().getTime())
  return {
    http: broker.http,
    now: () => broker.clock.now(),
    remainingMs,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, remainingMs()))),
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
