import { Secret } from "../../../broker/core/secret.ts"
import type { HttpResponse } from "../../../broker/ports/http.ts"
import type { Login } from "../../../broker/ports/logins.ts"
import { CASE_SUBJECT } from "../../../broker/providers/case.ts"
import type { Provider, ProviderIo } from "../../../broker/providers/provider.ts"
import type { StoreGrant } from "../../../broker/providers/store.ts"
import { job } from "../job.ts"

const NOW = new Date("2026-11-22T12:00:00Z")

export const json = (status: number, body: unknown): HttpResponse => ({
  status,
  header: () => null,
  body: new TextEncoder().encode(JSON.stringify(body)),
})

/** A store whose other side answers by the URL, each call a moment later; its logins are kept. */
export function storeWorld<Connection>(
  provider: Provider<Connection, StoreGrant>,
  settings: unknown,
  respond: (url: string) => HttpResponse,
) {
  const urls: string[] = []
  const logins = new Map<string, Login<unknown>>()
  let underWay = 0
  let most = 0
  const io: ProviderIo = {
    async http({ url }) {
      urls.push(url)
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setTimeout(resolve, 2))
      underWay--
      return respond(url)
    },
    now: () => NOW,
    remainingMs: () => 10_000,
    sleep: async () => {},
    secret: async () => new Secret(""),
    async login<Value>(scope: string, make: () => Promise<Login<Value>>) {
      const kept = logins.get(scope) as Login<Value> | undefined
      const login = kept ?? (await make())
      logins.set(scope, login)
      return { value: login.value, kept: kept !== undefined, forget: () => void logins.delete(scope) }
    },
    kept: () => ({ get: async () => undefined, keep: async () => {} }),
    identityToken: async () => new Secret("header.payload.signature"),
  }
  const mint = (read: unknown) =>
    provider.mint(
      {
        identity: job(),
        grantName: "the-grant",
        subject: CASE_SUBJECT,
        connectionName: "the-connection",
        connection: provider.connection.parse(settings),
        grant: provider.grant.parse({ read }),
        ttlSeconds: 900,
        lease: "lease",
      },
      io,
    )
  return { mint, urls, most: () => most }
}
