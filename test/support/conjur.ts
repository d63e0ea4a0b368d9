import { randomBytes } from "node:crypto"
import { TokenRefusal, verifyIdentityToken } from "./relying-party.ts"
import {
  type Ask,
  hasExactly,
  json,
  Logins,
  type StoreAnswer,
  type StoreServer,
  startStoreServer,
} from "./store-server.ts"

/** A host that logs in by its `sub`, and the variables that it may execute. */
export interface ConjurHost {
  /** Without `host/` before it. */
  readonly id: string
  readonly subject: string
  readonly executes: readonly string[]
  /** It is in no group that may use the authenticator. */
  readonly unpermitted?: true
}

/** A JWT authenticator; `account` and `service` are part of its URL. */
export interface ConjurAuthenticator {
  readonly account: string
  readonly service: string
  readonly issuer: string
  readonly audience: string
}

export interface Conjur extends StoreServer {
  /** Makes the authenticator exist; there is one. */
  setAuthenticator(authenticator: ConjurAuthenticator): void
  addHost(host: ConjurHost): void
  /** Makes a variable exist; without a value when it is left out. */
  addVariable(id: string, value?: string | Uint8Array): void
  /** Sets `host_authorization_token_ttl`, in seconds; 480 unless set. */
  setTokenTtl(seconds: number): void
  /** Ends all logins, as a changed signing key does. */
  endLogins(): void
}

const DEFAULT_LOGIN_SECONDS = 480

/** Starts a stand-in for Conjur: the login with a JWT, and the batch of variables. */
export async function startConjur(): Promise<Conjur> {
  let authenticator: ConjurAuthenticator | null = null
  const hosts: ConjurHost[] = []
  const variables = new Map<string, Buffer | null>()
  const logins = new Logins<ConjurHost>()
  let loginSeconds = DEFAULT_LOGIN_SECONDS

  const server = await startStoreServer("Conjur", async (ask) => {
    const [, root, ...rest] = ask.path.split("/")
    if (ask.method === "POST" && root === "authn-jwt" && rest.at(-1) === "authenticate")
      return logIn(ask, rest.slice(0, -1))
    // Conjur's client for Go asks with a slash at the end.
    return ask.method === "GET" && /^\/secrets\/?$/.test(ask.path) ? batch(ask) : null
  })

  async function logIn(ask: Ask, path: readonly string[]): Promise<StoreAnswer | null> {
    const [service, account, login, ...more] = path
    if (more.length > 0 || !hasExactly(ask.query) || ask.headers.authorization !== undefined) return null
    // Conjur reads the body as it is. Its SDK for Python calls the form text/plain.
    const form = new URLSearchParams(ask.body ?? "")
    if (!hasExactly(form, "jwt")) return { status: 400 }
    if (authenticator === null || service !== authenticator.service || account !== authenticator.account)
      return { status: 401 }
    try {
      const { issuer, audience } = authenticator
      const { sub } = await verifyIdentityToken(form.get("jwt") ?? "", [{ issuer, audiences: [audience] }])
      const named = hosts.filter(({ id }) => login === undefined || decodeURIComponent(login) === `host/${id}`)
      const host = named.find(({ subject }) => subject === sub)
      if (host === undefined) return { status: 401 }
      if (host.unpermitted) return { status: 403 }
      const token = JSON.stringify(tokenFor(host, loginSeconds))
      logins.add(Buffer.from(token).toString("base64"), host, loginSeconds)
      return inBase64(ask)
        ? { status: 200, type: "text/plain", body: Buffer.from(token).toString("base64"), headers: BASE64 }
        : { status: 200, body: token }
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error
      return { status: 401 }
    }
  }

  function batch(ask: Ask): StoreAnswer | null {
    if (!hasExactly(ask.query, "variable_ids")) return null
    const host = logins.holder(/^Token token="([^"]+)"$/.exec(ask.headers.authorization ?? "")?.[1] ?? "")
    if (host === undefined) return { status: 401 }
    // As Ruby splits: without empty parts at the end.
    const ids = (ask.query.get("variable_ids") ?? "").replace(/,+$/, "").split(",")
    if (ids.join("") === "") return refused(422, "argument_error", "variable_ids")
    const prefix = `${authenticator?.account}:variable:`
    const wanted = ids.map((id) => ({ id, name: id.startsWith(prefix) ? id.slice(prefix.length) : "" }))
    const notFound = (id = "") => refused(404, "not_found", `CONJ00076E Variable ${id} is empty or not found.`)
    // Conjur counts what it finds, so that an id that is there twice is one too many.
    const missing = wanted.find(({ name }) => !variables.has(name))
    if (missing || new Set(ids).size < ids.length) return notFound(missing?.id)
    // It looks at the right to execute before anything else, and says nothing.
    if (wanted.some(({ name }) => !host.executes.includes(name))) return { status: 403 }
    const empty = wanted.find(({ name }) => !variables.get(name))
    if (empty) return notFound(empty.id)
    const values = wanted.map(({ id, name }) => [id, variables.get(name) as Buffer] as const)
    if (inBase64(ask)) {
      // In lines of 60 characters, the last of them ended too.
      const lines = (value: Buffer) => value.toString("base64").replace(/.{1,60}/g, "$&\n")
      const body = JSON.stringify(Object.fromEntries(values.map(([id, value]) => [id, lines(value)])))
      return { status: 200, body, headers: BASE64 }
    }
    if (values.some(([, value]) => !Buffer.from(value.toString("utf8")).equals(value)))
      return refused(406, "not_acceptable", "CONJ00075E Issue encoding secret into JSON format")
    return json(200, Object.fromEntries(values.map(([id, value]) => [id, value.toString("utf8")])))
  }

  return {
    ...server,
    setAuthenticator(one) {
      authenticator = one
    },
    addHost: (host) => void hosts.push(host),
    addVariable: (id, value) => void variables.set(id, value === undefined ? null : Buffer.from(value)),
    setTokenTtl(seconds) {
      loginSeconds = seconds
    },
    endLogins: () => logins.end(),
  }
}

const BASE64 = { "Content-Encoding": "base64" }

const inBase64 = ({ headers }: Ask) => String(headers["accept-encoding"]).toLowerCase() === "base64"

/** Of the form that Conjur's tokens have: three parts in base64 for URLs, padded. */
function tokenFor({ id }: ConjurHost, seconds: number) {
  const iat = Math.floor(Date.now() / 1000)
  const padded = (bytes: Buffer) => bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_")
  const encode = (part: object) => padded(Buffer.from(JSON.stringify(part)))
  return {
    protected: encode({ alg: "conjur.org/slosilo/v2", kid: randomBytes(16).toString("hex") }),
    payload: encode({ sub: `host/${id}`, exp: iat + seconds, iat }),
    signature: padded(randomBytes(256)),
  }
}

const refused = (status: number, code: string, message: string) => json(status, { error: { code, message } })
