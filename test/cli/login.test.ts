import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { dirname } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createHttp } from "../../broker/adapters/web/http.ts"
import type { Http } from "../../broker/ports/http.ts"
import { type LoginWorld, run as login } from "../../cli/login/login.ts"
import { keepLogin, loginFile, storedLogin } from "../../cli/login/stored-login.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { Person } from "../support/openid/person.ts"
import { CLIENT, type OpenIdProvider, openIdProvider } from "../support/openid/provider.ts"
import { folderOf, runScripted, runWork, type Script, scriptedIo } from "./run-cli.ts"

const http = createHttp({ userAgent: "daypass-test" })
let provider: OpenIdProvider
let broker: NodeBroker

beforeAll(async () => {
  provider = await openIdProvider()
  const policies = folderOf({
    "daypass.yaml": `version: 1
issuers:
  staff: { family: openid, url: "${provider.url}", audience: ${CLIENT} }
connections:
  oidc: { provider: identity-token, audiences: ["https://dev.example.com"], people: true }
  operators: { provider: broker, may: [audit.read], people: true }
`,
    "people/engineering.yaml": `version: 1
people: true
allow:
  - { name: engineers, when: { groups: engineering, email: "*@example.com" }, grants: [token, operator] }
grants:
  token: { connection: oidc, audience: "https://dev.example.com", ttl: 5m }
  operator: { connection: operators, may: [audit.read] }
`,
  })
  broker = await startNodeBroker({ policies })
})
afterAll(async () => {
  await broker?.stop()
  await provider?.close()
})

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One account of a machine, with a login file of its own. */
function machine(script: Script = {}) {
  const base = { http, now: () => new Date(), env: { HOME: folderOf({}), XDG_STATE_HOME: "" }, ...script }
  const signIn = async (world: Partial<LoginWorld>, ...args: string[]): Promise<Outcome> => {
    const [out, err]: string[][] = [[], []]
    const io = {
      ...scriptedIo(base),
      out: (text: string) => void out?.push(text),
      err: (text: string) => void err?.push(text),
    }
    const nobody = () => {
      throw new Error("nobody expected this")
    }
    const code = await runWork("login", args, io, (given) =>
      login(given, io, { open: nobody, sleep: nobody, ...world }),
    )
    return { code, out: out?.join("\n") ?? "", err: err?.join("\n") ?? "" }
  }
  const daypass = (...args: string[]) => runScripted(base, ...args)
  return { base, file: loginFile(base), signIn, daypass }
}

const here = () => ["--issuer", provider.url, "--client-id", CLIENT]

/** Signs in at the provider's pages, as whoever is named, and says what the last page shows. */
async function signInAt(address: string, name = "person"): Promise<string> {
  const person = new Person()
  const consent = await person.submit(await person.open(address), { login: name, password: "any" })
  return (await person.submit(consent)).text
}

/** Runs a login in which the person does `act` with the address. */
async function loginWith(act: (address: URL) => Promise<unknown>, args = here(), on = machine()) {
  let acted: Promise<unknown> = Promise.resolve()
  const open = (address: string) => {
    acted = act(new URL(address))
  }
  const outcome = await on.signIn({ open }, ...args)
  return { ...outcome, page: await acted, on }
}

/** The address at which the answer of a login arrives, with these parameters. */
function answerOf(address: URL, parameters: Readonly<Record<string, string>>): URL {
  const answer = new URL(address.searchParams.get("redirect_uri") ?? "")
  const state = address.searchParams.get("state") ?? ""
  for (const [name, value] of Object.entries({ state, iss: provider.url, ...parameters }))
    answer.searchParams.set(name, value)
  return answer
}
const bring = async (url: URL, headers: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(url, { headers, redirect: "manual" })
  return `${response.status} ${(await response.text()).trim()}`
}

describe("daypass login", () => {
  it("signs a person in whom the broker that named the provider then serves, until the person signs out", async () => {
    const { code, out, err, page, on } = await loginWith((url) => signInAt(url.href), ["--broker", broker.url])
    expect({ code, page }).toEqual({ code: 0, page: "You are signed in. You can close this window.\n" })
    expect(out).toMatch(/^Signed in as person@example\.com \(id person\) until \d{4}-.+Z\.$/)

    const status = await on.daypass("status")
    expect(status.out).toContain(`at ${provider.url}, for the broker ${broker.url}`)

    const stored = storedLogin(on.base)
    if (!stored.ok) throw new Error(stored.fault)
    const { token, key, claims } = stored.value
    expect(claims).toMatchObject({ sub: "person", aud: CLIENT, groups: ["engineering"] })
    expect(key).toMatchObject({ kty: "EC", crv: "P-256" })
    expect(out + err + status.out + status.err).not.toContain(token.slice(-20))

    const asked = await runScripted(
      { ...on.base, input: token },
      "explain",
      "--token",
      "-",
      "--broker",
      broker.url,
      "--grants",
      "token",
    )
    expect(asked.out).toContain("ALLOW token for 5m")
    expect(asked.code).toBe(0)

    expect((await on.daypass("logout")).out).toBe("Signed out. Commands that still run end what they got.")
    expect(existsSync(on.file)).toBe(false)
    expect(await on.daypass("status")).toMatchObject({
      code: 1,
      err: "daypass: you are not signed in: run daypass login",
    })
    expect((await on.daypass("logout")).out).toBe("You were not signed in.")
  })

  it("makes a person an operator, whose every command proves the key of the login", async () => {
    const { on } = await loginWith((url) => signInAt(url.href), ["--broker", broker.url])
    const search = () => on.daypass("audit", "search", "--broker", broker.url, "--event", "exchange.minted")
    await expect.poll(search, { timeout: 20_000, interval: 300 }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/operator: rights: audit\.read {2}by person@example\.com \(id person\)/),
    })
  })

  it("keeps one file, for this account alone, and no refresh token", async () => {
    const { code, on } = await loginWith((url) => signInAt(url.href))
    expect(code).toBe(0)
    expect(statSync(on.file).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(on.file)).mode & 0o777).toBe(0o700)
    const kept = JSON.parse(readFileSync(on.file, "utf8"))
    expect(Object.keys(kept).sort()).toEqual(["broker", "client_id", "issuer", "key", "token", "version"])
  })

  it("asks with PKCE, a state and a nonce, and comes back to a port of this machine", async () => {
    const { page } = await loginWith(async (url) => {
      await signInAt(url.href)
      return url.searchParams
    })
    const asked = page as URLSearchParams
    expect(asked.get("code_challenge_method")).toBe("S256")
    expect(asked.get("code_challenge")).toMatch(/^[\w-]{43}$/)
    expect(asked.get("redirect_uri")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
    for (const name of ["state", "nonce"]) expect(asked.get(name)?.length).toBeGreaterThan(30)
    expect(asked.get("scope")).toBe("openid email profile groups")
  })

  it("refuses an answer of another login, and waits for its own", async () => {
    const { code, page } = await loginWith(async (url) => [
      await bring(answerOf(url, { state: "another", code: "stolen" })),
      await bring(answerOf(url, { state: "", code: "stolen" })),
      await bring(answerOf(url, { state: "another", error: "access_denied" })),
      await signInAt(url.href),
    ])
    expect(page).toEqual([
      "400 This answer belongs to another login.",
      "400 This answer belongs to another login.",
      "400 This answer belongs to another login.",
      "You are signed in. You can close this window.\n",
    ])
    expect(code).toBe(0)
  })

  it("answers nothing to a page that reaches it by another name, at another path or with another method", async () => {
    const { page } = await loginWith(async (url) => {
      const answer = answerOf(url, { code: "x" })
      const elsewhere = new URL("/other", answer)
      // fetch sets its own Host, so this is written by hand.
      const rebound = await new Promise<string>((resolve, reject) => {
        import("node:http").then(({ get }) =>
          get(answer, { headers: { host: `evil.example:${answer.port}` } }, (response) =>
            resolve(`${response.resume().statusCode}`),
          ).on("error", reject),
        )
      })
      const posted = await fetch(answer, { method: "POST" })
      const found = [rebound, `${posted.status}`, (await bring(elsewhere)).slice(0, 3)]
      await signInAt(url.href)
      return found
    })
    expect(page).toEqual(["404", "404", "404"])
  })

  it.each<[string, (url: URL) => Promise<unknown>, RegExp]>([
    [
      "an answer of another issuer",
      (url) => bring(answerOf(url, { code: "x", iss: "https://evil.example" })),
      /not what OpenID Connect asks for/,
    ],
    [
      "an answer that does not say of which issuer it is",
      (url) => {
        const answer = answerOf(url, { code: "x" })
        answer.searchParams.delete("iss")
        return bring(answer)
      },
      /not what OpenID Connect asks for/,
    ],
    [
      "an invented code",
      (url) => bring(answerOf(url, { code: "invented" })),
      /did not accept the code.*\(invalid_grant\)/,
    ],
    [
      "a refusal",
      (url) => bring(answerOf(url, { error: "access_denied", error_description: "<b>no</b>" })),
      /sign-in was refused.*\(access_denied\)/,
    ],
    ["an error of no standard", (url) => bring(answerOf(url, { error: "\u001b[31mpwned" })), /with an unknown error/],
    [
      "a person who cancels on the provider's page",
      async (url) => {
        const person = new Person()
        const page = await person.open(url.href)
        return `400 ${(await person.open(`${page.url.href}/abort`)).text.trim()}`
      },
      /sign-in was refused.*\(access_denied\)/,
    ],
  ])("ends without a login for %s", async (_, act, message) => {
    const { code, err, page, on } = await loginWith(act)
    expect(code).toBe(1)
    expect(err.split("\n").at(-1)).toMatch(message)
    expect(err).not.toMatch(/pwned|<b>/)
    expect(page).toBe("400 You are not signed in. The terminal says why.")
    expect(existsSync(on.file)).toBe(false)
  })

  it("takes no ID token with another nonce than the one that it sent", async () => {
    const on = machine()
    const stranger = new Person()
    const { code, err } = await loginWith(
      async (url) => {
        const other = new URL(url)
        other.searchParams.set("nonce", "another")
        const consent = await stranger.submit(await stranger.open(other.href), { login: "evil", password: "any" })
        return await stranger.submit(consent)
      },
      here(),
      on,
    )
    expect(code).toBe(1)
    expect(err).toMatch(/not the one that this login asked for/)
    expect(existsSync(on.file)).toBe(false)
  })

  it("names a person by the id when the provider does not vouch for the address", async () => {
    const other = await openIdProvider({ claims: { email_verified: false } })
    const { out } = await loginWith((url) => signInAt(url.href), ["--issuer", other.url, "--client-id", CLIENT])
    expect(out).toMatch(/^Signed in as the person with the id person until /)
    await other.close()
  })

  it("says at once what no broker would take", async () => {
    const other = await openIdProvider({ claims: { groups: "engineering" } })
    const { code, err } = await loginWith((url) => signInAt(url.href), ["--issuer", other.url, "--client-id", CLIENT])
    expect(code).toBe(1)
    expect(err).toContain("no broker takes the provider's ID token: in it, the claim groups must be a list of strings")
    await other.close()
  })

  it("prints the address and opens no browser with --no-browser", async () => {
    const on = machine()
    const running: Promise<unknown>[] = []
    const io = {
      ...scriptedIo(on.base),
      out: () => {},
      err: (text: string) => {
        const [address] = /http:\/\/\S+\/auth\?\S+/.exec(text) ?? []
        if (address) running.push(signInAt(address))
      },
    }
    const world = {
      open: () => expect.fail("a browser was opened"),
      sleep: async () => {},
    }
    expect(await runWork("login", [...here(), "--no-browser"], io, (given) => login(given, io, world))).toBe(0)
    expect(running).toHaveLength(1)
  })

  it("says that the port is taken", async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    const { port } = taken.address() as { port: number }
    const { code, err } = await machine().signIn({}, ...here(), "--port", String(port))
    expect({ code, err }).toEqual({ code: 1, err: `daypass: this machine has no free port ${port} for the answer` })
    taken.close()
  })
})

describe("daypass login --device", () => {
  /** Types the code on another device, as the person or as one who refuses. */
  async function typeCode(text: string, isRefused = false): Promise<void> {
    const [, address = "", code = ""] = /Open this address[^\n]*\n(\S+)\n.*: (\S+)$/s.exec(text) ?? []
    const person = new Person()
    let page = await person.submit(await person.open(address), { user_code: code })
    if (isRefused) {
      await person.submit(page, { abort: "yes" })
      return
    }
    page = await person.submit(page, { confirm: "yes" })
    page = await person.submit(page, { login: "person", password: "any" })
    await person.submit(page)
  }

  async function deviceLogin(onSleep: (text: string, nth: number) => Promise<void>, args = here(), on = machine()) {
    const [said, slept]: [string[], number[]] = [[], []]
    const io = {
      ...scriptedIo(on.base),
      out: (text: string) => void said.push(text),
      err: (text: string) => void said.push(text),
    }
    const sleep = async (ms: number) => {
      slept.push(ms)
      await onSleep(said.join("\n"), slept.length)
    }
    const world = { open: () => expect.fail("a browser was opened"), sleep }
    const code = await runWork("login", [...args, "--device"], io, (given) => login(given, io, world))
    return { code, text: said.join("\n"), slept, on }
  }

  it("signs the person in who types the code, and asks no faster than the provider allows", async () => {
    const { code, text, slept, on } = await deviceLogin((said, nth) => (nth === 2 ? typeCode(said) : Promise.resolve()))
    expect(text).toContain("Signed in as person@example.com (id person)")
    expect(code).toBe(0)
    expect(slept.every((ms) => ms >= 5_000)).toBe(true)
    expect(storedLogin(on.base).ok).toBe(true)
  })

  it("ends when the person refuses", async () => {
    const { code, text, on } = await deviceLogin((said, nth) => (nth === 1 ? typeCode(said, true) : Promise.resolve()))
    expect(code).toBe(1)
    expect(text).toMatch(/the sign-in was refused.*\(access_denied\)/)
    expect(existsSync(on.file)).toBe(false)
  })

  it("ends when nobody types the code in its time", async () => {
    const { code, text, slept } = await deviceLogin(async () => {})
    expect(code).toBe(1)
    expect(text).toContain("nobody signed in before the code expired")
    expect(slept.length).toBeLessThan(130)
  })

  it("says that a provider has no such login", async () => {
    const other = await openIdProvider({ deviceFlow: false })
    const { code, text } = await deviceLogin(async () => {}, ["--issuer", other.url, "--client-id", CLIENT])
    expect({ code, text }).toEqual({
      code: 1,
      text: "daypass: the provider offers no login by another device: leave --device out",
    })
    await other.close()
  })

  it("writes nothing of a provider that a terminal would obey", async () => {
    const hostile: Http = async (request) => {
      const answer = await http(request)
      if (!request.url.endsWith("/device/auth")) return answer
      const body = JSON.parse(new TextDecoder().decode(answer.body))
      return {
        ...answer,
        body: new TextEncoder().encode(JSON.stringify({ ...body, user_code: "\u001b[31mA\n::add-mask::x" })),
      }
    }
    const { text } = await deviceLogin(async () => {}, here(), machine({ http: hostile }))
    expect(text).not.toContain("\u001b")
    expect(text).not.toMatch(/^::/m)
  })
})

describe("where a person signs in", () => {
  const published =
    (body: unknown, status = 200): Http =>
    async ({ url }) => {
      expect(url).toBe("https://broker.example.com/.well-known/daypass")
      return {
        status,
        header: () => null,
        body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
      }
    }
  const one = (name: string) => ({ name, url: "https://sso.example.com", client_id: "c" })

  it.each<[string, Http, RegExp]>([
    ["serves no people", published({ people: [] }), /serves no people/],
    [
      "names two providers",
      published({ people: [one("a"), one("b")] }),
      /choose where to sign in with --provider: a, b/,
    ],
    ["is another server", published("<html>"), /is it a Daypass broker/],
    ["answers with another document", published({ issuers: [] }), /is it a Daypass broker/],
    ["is an older broker", published({}, 404), /answered HTTP 404/],
    [
      "names an issuer on plain http",
      published({ people: [{ ...one("a"), url: "http://sso.example.com" }] }),
      /must be an https URL/,
    ],
    [
      "names a client with a space",
      published({ people: [{ ...one("a"), client_id: "a b" }] }),
      /client's id must be ASCII/,
    ],
  ])("is not known when the broker %s", async (_, answer, message) => {
    const { code, err } = await machine({ http: answer }).signIn({}, "--broker", "https://broker.example.com")
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  it.each([
    [[], /name the broker with --broker, or the provider/],
    [["--broker", "http://broker.example.com"], /--broker must be the broker's https URL/],
    [["--broker", "https://broker.example.com/x"], /--broker must be the broker's https URL/],
    [["--issuer", "https://sso.example.com"], /need each other/],
    [["--client-id", "c"], /need each other/],
    [
      ["--issuer", "https://sso.example.com", "--client-id", "c", "--broker", "https://b.example.com"],
      /leave --broker and --provider out/,
    ],
    [["--issuer", "http://sso.example.com", "--client-id", "c"], /must be an https URL/],
    [["--issuer", "https://SSO.example.com", "--client-id", "c"], /must be an https URL/],
    [["--issuer", "https://login.microsoftonline.com/{tenantid}/v2.0", "--client-id", "c"], /must be an https URL/],
    [["--port", "0"], /--port must be a number/],
    [["--port", "65536"], /--port must be a number/],
    [["--port", "x"], /--port must be a number/],
    [["--scope", "email"], /must contain openid/],
    [["--scope", "openid offline_access"], /must not contain offline_access/],
    [["someone"], /too many arguments/],
    [["--token", "x"], /there is no option/],
  ] as const)("is refused for %j", async (args, message) => {
    const { code, err } = await machine().signIn({}, ...args)
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  it("must be the very issuer of the discovery document", async () => {
    const other = provider.url.replace("127.0.0.1", "localhost")
    const { code, err } = await machine().signIn({}, "--issuer", other, "--client-id", CLIENT)
    expect({ code, err }).toEqual({
      code: 1,
      err: "daypass: the provider's discovery document belongs to another issuer, or lacks an address that this login needs",
    })
  })

  it("cannot be a server that is not there", async () => {
    const { code, err } = await machine().signIn({}, "--issuer", "http://127.0.0.1:1", "--client-id", "c")
    expect({ code, err }).toEqual({ code: 1, err: "daypass: the provider cannot be asked (unreachable)" })
  })
})

describe("the login that is kept", () => {
  const token = (exp: unknown) =>
    `${['{"alg":"RS256","kid":"k"}', JSON.stringify({ exp, sub: "a" })].map((text) => Buffer.from(text).toString("base64url")).join(".")}.AAAA`
  const LOGIN = { issuer: "https://sso.example.com", clientId: "c", broker: null, key: { kty: "EC" } }
  const keptOn = (exp: number) => {
    const on = machine()
    keepLogin({ ...LOGIN, token: token(exp) }, on.base)
    return on
  }
  const soon = () => Math.floor(Date.now() / 1000) + 600

  it("ends with its token, and its file goes", () => {
    const on = keptOn(soon())
    expect(storedLogin(on.base).ok).toBe(true)
    const later = { ...on.base, now: () => new Date((soon() + 1) * 1000) }
    const read = storedLogin(later)
    expect(read.ok ? "" : read.fault).toMatch(/^your login ended at .+: run daypass login again$/)
    expect(existsSync(on.file)).toBe(false)
  })

  it.each<[string, (file: string) => void, RegExp]>([
    ["that others can read", (file) => chmodSync(file, 0o644), /other accounts can read or write/],
    ["that its group can write", (file) => chmodSync(file, 0o620), /other accounts can read or write/],
    ["that is no JSON", (file) => writeFileSync(file, "secret-text"), /not one that daypass login wrote/],
    [
      "that is JSON of something else",
      (file) => writeFileSync(file, '{"token":"secret-text"}'),
      /not one that daypass login wrote/,
    ],
    [
      "with a refresh token",
      (file) => writeFileSync(file, readFileSync(file, "utf8").replace("{", '{"refresh_token":"secret-text",')),
      /not one that/,
    ],
    [
      "with a token that is none",
      (file) => writeFileSync(file, readFileSync(file, "utf8").replace(/"token":"[^"]+"/, '"token":"secret-text"')),
      /not one that/,
    ],
    [
      "with a token that never ends",
      (file) =>
        writeFileSync(file, readFileSync(file, "utf8").replace(/"token":"[^"]+"/, `"token":"${token("never")}"`)),
      /not one that/,
    ],
    ["that is huge", (file) => writeFileSync(file, "x".repeat(100_000)), /not one that/],
  ])("is not used from a file %s", (_, change, message) => {
    const on = keptOn(soon())
    change(on.file)
    const read = storedLogin(on.base)
    expect(read.ok ? "used" : read.fault).toMatch(message)
    expect(read.ok ? "" : read.fault).not.toContain("secret-text")
  })

  it("is not used through a link", () => {
    const other = keptOn(soon())
    const place = machine({ env: { HOME: folderOf({ ".local/state/daypass/x": "" }) } })
    symlinkSync(other.file, place.file)
    const read = storedLogin(place.base)
    expect(read.ok ? "used" : read.fault).toMatch(/cannot be read \(ELOOP\)/)
  })

  it("makes a folder of others' private", () => {
    const on = machine({ env: { HOME: folderOf({ ".local/state/daypass/x": "" }) } })
    chmodSync(dirname(on.file), 0o777)
    keepLogin({ ...LOGIN, token: token(soon()) }, on.base)
    expect(statSync(dirname(on.file)).mode & 0o777).toBe(0o700)
  })

  it.each([
    [{ HOME: "/home/person" }, "linux", "/home/person/.local/state/daypass/login.json"],
    [{ HOME: "/home/person", XDG_STATE_HOME: "/state" }, "linux", "/state/daypass/login.json"],
    [{ HOME: "/home/person", XDG_STATE_HOME: "relative" }, "linux", "/home/person/.local/state/daypass/login.json"],
    [{ HOME: "/Users/person" }, "darwin", "/Users/person/.local/state/daypass/login.json"],
    [{ USERPROFILE: "C:\\Users\\person" }, "win32", "C:\\Users\\person\\AppData\\Local\\daypass\\login.json"],
    [{ USERPROFILE: "C:\\Users\\person", LOCALAPPDATA: "D:\\local" }, "win32", "D:\\local\\daypass\\login.json"],
  ] as const)("with %j on %s is in %s", (env, platform, file) => {
    expect(loginFile({ env, platform, now: () => new Date() })).toBe(file)
  })
})
