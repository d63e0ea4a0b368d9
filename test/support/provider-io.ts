import { createLogins } from "../../broker/adapters/memory/logins.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { Secret } from "../../broker/core/secret.ts"
import { nameOf } from "../../broker/core/secret-reference.ts"
import { type Http, HttpError, type HttpRequest, type HttpResponse } from "../../broker/ports/http.ts"
import type { Login, Logins } from "../../broker/ports/logins.ts"
import { CASE_NOW, type Reply } from "../../broker/providers/case.ts"
import type { ProviderIo } from "../../broker/providers/provider.ts"
import { clockOf } from "./clock.ts"

/** What `identityToken` gives where the test says nothing of it. */
export const PROVIDER_IO_TOKEN = "header.canary-of-the-identity-token.signature"

export interface ProviderIoOptions {
  /** Real, or a `ScriptedHttp`'s. */
  readonly http: Http
  /** Stands still at the cases' time when left out. */
  readonly now?: () => Date
  /** Ten seconds when left out. Sleeping takes none. */
  readonly remainingMs?: number
  /** The connection's own, by name; there are none when left out. */
  readonly secrets?: Readonly<Record<string, string>>
  /** The broker's own when left out: each is kept until shortly before it ends. */
  readonly logins?: Logins
  /** Where values of stores are kept, by whom they are for and locator. The connection keeps none when left out. */
  readonly kept?: Map<string, Secret<string>>
  readonly identityToken?: ProviderIo["identityToken"]
  /** What was prepared, in its order. */
  readonly prepared?: { readonly handle: Secret<string>; readonly expiresAt: Date | null }[]
}

/** What a provider may touch in a test, as the broker gives it. What a test says nothing of is refused where it can be. */
export function makeProviderIo(options: ProviderIoOptions): ProviderIo {
  const { http, now = () => new Date(CASE_NOW), remainingMs = 10_000, secrets = {}, kept, prepared } = options
  const { logins = createLogins(clockOf(now)), identityToken = async () => new Secret(PROVIDER_IO_TOKEN) } = options
  return {
    http,
    prepare: async (handle, expiresAt) => void prepared?.push({ handle, expiresAt }),
    now,
    remainingMs: () => remainingMs,
    sleep: async () => {},
    async secret(reference) {
      const secret = secrets[nameOf(reference)]
      if (secret === undefined)
        throw new BrokerError("configuration_invalid", "the-connection names a secret that is not there")
      return new Secret(secret)
    },
    async login<Value>(scope: string, make: () => Promise<Login<Value>>) {
      const known = logins.get(scope) as Login<Value> | undefined
      const login = known ?? (await make())
      logins.keep(scope, login)
      return { value: login.value, kept: known !== undefined, forget: () => logins.forget(scope) }
    },
    kept(of) {
      if (kept === undefined) throw new Error("this connection keeps nothing")
      const key = (locator: string) => `${of} ${locator}`
      return {
        get: async (locator) => kept.get(key(locator)),
        keep: async (locator, value) => void kept.set(key(locator), value),
      }
    },
    identityToken,
    operatorToken: async () => new Secret(PROVIDER_IO_TOKEN),
  }
}

/** The other side as a list of replies, each of them for one call. A call more fails. */
export class ScriptedHttp {
  readonly sent: HttpRequest[] = []
  #replies: Reply[]

  constructor(replies: readonly Reply[]) {
    this.#replies = [...replies]
  }

  readonly http: Http = async (request) => {
    this.sent.push(request)
    const reply = this.#replies.shift()
    if (!reply) throw new Error("the provider made a call that nobody expected")
    return respond(reply)
  }

  /** Goes on with other replies, as if nothing had been sent yet. */
  restart(replies: readonly Reply[]): void {
    this.sent.length = 0
    this.#replies = [...replies]
  }
}

/** A reply as it arrives. @throws {HttpError} for one that never does */
export function respond(reply: Reply): HttpResponse {
  if ("failure" in reply) throw new HttpError(reply.failure)
  const headers = new Map(Object.entries(reply.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  return {
    status: reply.status,
    header: (name) => headers.get(name.toLowerCase()) ?? null,
    body: new TextEncoder().encode(reply.body),
  }
}
