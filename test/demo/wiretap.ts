import type { IncomingMessage, ServerResponse } from "node:http"
import { type LoopbackServer, readBody, startServer } from "../support/servers.ts"

/** One exchange as it went over the wire. */
export interface Capture {
  readonly token: string
  /** The body: grants, and the public half of the job's key. */
  readonly body: string
}

/** Stands between the action and the broker and keeps what passes, as somebody would who broke the job's TLS. */
export interface Wiretap extends LoopbackServer {
  readonly captures: readonly Capture[]
  /** Keeps the next exchange from the broker, so that its token stays unused; the job sees a broken connection. */
  interceptNext(): void
}

export async function startWiretap(broker: string): Promise<Wiretap> {
  const captures: Capture[] = []
  let intercepting = false

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)) ?? ""
    const authorization = request.headers.authorization ?? ""
    if (request.url === "/v1/exchange") {
      captures.push({ token: authorization.replace(/^Bearer /, ""), body })
      if (intercepting) {
        intercepting = false
        response.socket?.resetAndDestroy()
        return
      }
    }
    const answer = await fetch(`${broker}${request.url}`, {
      method: request.method ?? "GET",
      headers: { Authorization: authorization, "Content-Type": request.headers["content-type"] ?? "" },
      ...(body === "" ? {} : { body }),
      redirect: "manual",
    })
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => name !== "content-encoding"))
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()))
  }

  const server = await startServer(pass, () => {})
  return {
    ...server,
    captures,
    interceptNext() {
      intercepting = true
    },
  }
}
