import type { IncomingMessage, ServerResponse } from "node:http"
import { startServer } from "./servers.ts"

export interface HoldingProxy {
  readonly url: string
  /**
   * Holds back the answer of the next request whose method and path match, after the server behind has acted on it. So a
   * broker can be ended, or left by its client, between what a vendor did and what the broker learned of it.
   */
  hold(which: RegExp): { readonly acted: Promise<void>; release(): void }
  close(): Promise<void>
}

/** Stands before a vendor's stand-in and passes everything on. */
export async function startHoldingProxy(target: string): Promise<HoldingProxy> {
  let held: { readonly which: RegExp; readonly act: () => void; readonly until: Promise<void> } | null = null

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = "GET", url = "/" } = request
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      ["host", "connection", "content-length", "transfer-encoding"].includes(name) ? [] : [[name, String(value)]],
    )
    const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
    const answer = await fetch(`${target}${url}`, { method, headers, redirect: "manual", ...body })
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (held?.which.test(`${method} ${url}`)) {
      const { act, until } = held
      held = null
      act()
      await until
    }
    const kept = [...answer.headers].filter(
      ([name]) => !["connection", "transfer-encoding", "content-length"].includes(name),
    )
    response.writeHead(answer.status, Object.fromEntries(kept)).end(bytes)
  }

  const server = await startServer(pass, () => {})
  return {
    url: server.url,
    hold(which) {
      let release = () => {}
      let act = () => {}
      const acted = new Promise<void>((resolve) => {
        act = resolve
      })
      held = {
        which,
        act,
        until: new Promise((resolve) => {
          release = resolve
        }),
      }
      return { acted, release: () => release() }
    },
    close: () => server.close(),
  }
}
