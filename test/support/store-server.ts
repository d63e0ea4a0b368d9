import type { IncomingHttpHeaders } from "node:http"
import { RequestLog } from "./request-log.ts"
import { Failures, type Misbehaviour, mediaTypeOf, misbehave, readBody, startServer } from "./servers.ts"

/** A request as stand-ins for stores look at it. */
export interface Ask {
  readonly method: string
  /** As it came, percent-encoding and all. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Null when it is larger than anything that is meant to be sent. */
  readonly body: string | null
}

export interface StoreAnswer {
  readonly status: number
  /** Nothing is sent when left out. */
  readonly body?: string
  /** JSON when left out. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface StoreServer {
  readonly url: string
  /** Makes the next `times` answers fail; for good when `times` is left out. `null` mends it. */
  fail(how: Misbehaviour | null, times?: number): void
  /** What was asked, in order, for example `GET /v1/vaults 200`. No query, no token and no value is in it. */
  readonly requests: readonly string[]
  /** @throws when anything was asked that nobody has a reason to ask */
  assertClean(): void
  /** Stops, then asserts that it was left clean. */
  close(): Promise<void>
}

/** Serves a stand-in for a store on loopback. An `answer` of null is for what nobody may ask of it. */
export async function startStoreServer(
  name: string,
  answer: (ask: Ask) => Promise<StoreAnswer | null>,
): Promise<StoreServer> {
  const log = new RequestLog(`the stand-in for ${name}`)
  const failures = new Failures<Misbehaviour>()

  const server = await startServer(
    async (request, response) => {
      const { pathname, searchParams: query } = new URL(request.url ?? "", "http://stand-in")
      const { method = "", headers } = request
      const given = await answer({ method, path: pathname, query, headers, body: await readBody(request) })
      const line = `${method} ${decodeURIComponent(pathname)}`
      if (given === null) {
        log.unexpected(`${line} 404`)
        response.writeHead(404).end()
        return
      }
      const { status, body = "", type = "application/json", headers: more } = given
      const how = failures.take()
      log.note(`${line} ${how ?? status}`)
      if (how !== null) misbehave(response, how, { type, body })
      else response.writeHead(status, { "Content-Type": type, ...more }).end(body)
    },
    (fault) => log.unexpected(`a fault of the stand-in: ${String(fault)}`),
  )

  return {
    url: server.url,
    fail: (how, times) => failures.set(how, times),
    requests: log.entries,
    assertClean: () => log.assertClean(),
    async close() {
      await server.close()
      log.assertClean()
    },
  }
}

export const json = (status: number, body: unknown): StoreAnswer => ({ status, body: JSON.stringify(body) })

/** The logins that a store gave: each ends after its time, and all when the store says so. */
export class Logins<Holder> {
  readonly #given = new Map<string, { readonly holder: Holder; readonly endsAt: number }>()

  add(token: string, holder: Holder, seconds: number): void {
    this.#given.set(token, { holder, endsAt: Date.now() + seconds * 1000 })
  }

  /** Whose a login is that has not ended. */
  holder(token: string): Holder | undefined {
    const given = this.#given.get(token)
    return given !== undefined && given.endsAt > Date.now() ? given.holder : undefined
  }

  /** Whether a login was given and its time is over. */
  hasExpired(token: string): boolean {
    const given = this.#given.get(token)
    return given !== undefined && given.endsAt <= Date.now()
  }

  end(): void {
    this.#given.clear()
  }
}

/** Whether a query has these parameters and no others, each once. */
export const hasExactly = (query: URLSearchParams, ...names: readonly string[]): boolean =>
  isSame([...query.keys()], names)

/** Whether a query has these parameters, each once, and at most once each of the others. */
export function hasAtLeast(query: URLSearchParams, required: readonly string[], others: readonly string[]): boolean {
  const names = [...query.keys()]
  return (
    new Set(names).size === names.length &&
    required.every((name) => names.includes(name)) &&
    names.every((name) => required.includes(name) || others.includes(name))
  )
}

/** The members of a JSON body, when it is an object of these texts and no others; null otherwise. */
export function textsIn<Name extends string>(
  { headers, body }: Ask,
  ...names: readonly Name[]
): Readonly<Record<Name, string>> | null {
  if (mediaTypeOf(headers["content-type"]) !== "application/json") return null
  try {
    const parsed = JSON.parse(body ?? "") as Record<string, unknown>
    return isSame(Object.keys(parsed), names) && Object.values(parsed).every((value) => typeof value === "string")
      ? (parsed as Record<Name, string>)
      : null
  } catch {
    return null
  }
}

/** In one text a name with a comma would be two. */
const isSame = (some: readonly string[], others: readonly string[]) =>
  JSON.stringify([...some].sort()) === JSON.stringify([...others].sort())

export const bearerOf = ({ headers }: Ask): string | null =>
  /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1] ?? null
