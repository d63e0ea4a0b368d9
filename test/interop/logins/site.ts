import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { TestCertificate } from "../clients/tls-front.ts"

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export interface Answered {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** One service of the site. Null for a request that its real client would never send. */
export type Service = (asked: Asked) => Answered | null | Promise<Answered | null>

export interface Site {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** Every request with its status, without headers. */
  readonly requests: readonly string[]
  /** @throws when something was asked that no service knows */
  assertClean(): void
  close(): Promise<void>
}

/** Serves these services over TLS, each below its path. The first whose path the request has answers. */
export async function startSite(
  { key, certificate }: TestCertificate,
  services: (host: string) => readonly (readonly [path: string, service: Service])[],
): Promise<Site> {
  const requests: string[] = []
  const faults: string[] = []
  let routes: ReturnType<typeof services> = []
  const server = createServer({ key, cert: certificate }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url ?? "/", "https://site")
    const asked = { method: request.method ?? "", url, headers: request.headers, body: Buffer.concat(chunks) }
    const service = routes.find(([path]) => url.pathname.startsWith(path))?.[1]
    const answer = await Promise.resolve(service?.(asked) ?? null).catch((fault: unknown) => {
      faults.push(String(fault))
      return null
    })
    const line = `${asked.method} ${url.pathname}${url.search}`
    if (answer === null) faults.push(`nobody knows ${line}`)
    requests.push(`${line} ${answer?.status ?? 500}`)
    response.writeHead(answer?.status ?? 500, answer?.headers).end(answer?.body)
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  routes = services(host)
  return {
    host,
    requests,
    assertClean() {
      if (faults.length > 0) throw new Error(faults.join("\n"))
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * Lets through what has exactly this user and password, and asks all others for them (RFC 7617). `foreign` is a password that
 * is good, and not for what is here: the answer is 404, as GitHub's, and asks for no other.
 */
export function basic(user: string, password: string, service: Service, foreign?: string): Service {
  const headerFor = (text: string) => `Basic ${Buffer.from(`${user}:${text}`).toString("base64")}`
  return (asked) => {
    const sent = String(asked.headers["authorization"] ?? "").replace(/^basic /i, "Basic ")
    if (sent === headerFor(password)) return service(asked)
    if (foreign !== undefined && sent === headerFor(foreign)) return { status: 404, body: "not found" }
    return { status: 401, headers: { "www-authenticate": 'Basic realm="site"' }, body: "a password is needed" }
  }
}

/** Lets through what has exactly this bearer token (RFC 6750). */
export function bearer(accepts: (token: string) => boolean | Promise<boolean>, service: Service): Service {
  return async (asked) => {
    const token = /^Bearer (\S+)$/.exec(String(asked.headers["authorization"] ?? ""))?.[1]
    if (token !== undefined && (await accepts(token))) return service(asked)
    const body = JSON.stringify({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      code: 401,
      reason: "Unauthorized",
    })
    return { status: 401, headers: { "content-type": "application/json", "www-authenticate": "Bearer" }, body }
  }
}

export const jsonAnswer = (body: unknown, type = "application/json"): Answered => ({
  status: 200,
  headers: { "content-type": type },
  body: JSON.stringify(body),
})
