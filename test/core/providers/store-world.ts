import type { HttpResponse } from "../../../broker/ports/http.ts"
import { CASE_SUBJECT } from "../../../broker/providers/case.ts"
import type { Provider } from "../../../broker/providers/provider.ts"
import type { StoreGrant } from "../../../broker/providers/read-all.ts"
import { makeProviderIo, respond as toResponse } from "../../support/provider-io.ts"
import { job } from "../job.ts"

export const json = (status: number, body: unknown): HttpResponse => toResponse({ status, body: JSON.stringify(body) })

/** A store whose other side answers by the URL, each call a moment later; its logins are kept. */
export function storeWorld<Connection>(
  provider: Provider<Connection, StoreGrant>,
  settings: unknown,
  respond: (url: string) => HttpResponse,
) {
  const urls: string[] = []
  let underWay = 0
  let most = 0
  const io = makeProviderIo({
    async http({ url }) {
      urls.push(url)
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setTimeout(resolve, 2))
      underWay--
      return respond(url)
    },
  })
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
