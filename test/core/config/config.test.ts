import { generateKeyPairSync } from "node:crypto"
import { describe, expect, it } from "vitest"
import { isLocal, isLocalAddress, readConfig } from "../../../broker/config/config.ts"

const KEK = btoa(String.fromCharCode(...Array.from({ length: 32 }, (_, index) => index * 3)))
const GOOD = { DAYPASS_URL: "https://daypass.example.com", DAYPASS_KEK: KEK }

const read = (env: Record<string, unknown>) => {
  const config = readConfig(env)
  if (!config.ok) throw new Error(JSON.stringify(config.fault))
  return config.value
}
const faultsOf = (env: Record<string, unknown>) => {
  const config = readConfig(env)
  return config.ok ? [] : config.fault
}

describe("a deployment's settings", () => {
  it.each([
    [{}, []],
    [{ DAYPASS_KEK_PREVIOUS: btoa("12345678901234567890123456789012") }, []],
    [{ DAYPASS_KEK_PREVIOUS: KEK }, ["DAYPASS_KEK_PREVIOUS"]],
    [{ DAYPASS_KEK_PREVIOUS: "short" }, ["DAYPASS_KEK_PREVIOUS"]],
    [{ DAYPASS_KEK_PREVIOUS: btoa("12345678901234567890123456789012"), DAYPASS_KEK: "" }, ["DAYPASS_KEK_PREVIOUS"]],
    [{ DAYPASS_ROTATE_EVERY: "2160h" }, []],
    [{ DAYPASS_ROTATE_EVERY: "90d" }, ["DAYPASS_ROTATE_EVERY"]],
    [{ DAYPASS_ROTATE_EVERY: "24h" }, ["DAYPASS_ROTATE_EVERY"]],
    [{ DAYPASS_ROTATE_EVERY: "8761h" }, ["DAYPASS_ROTATE_EVERY"]],
  ])("reads the settings of keys: %j", (settings, faults) => {
    const config = readConfig({ ...GOOD, ...settings })
    expect(config.ok ? [] : config.fault.map(({ setting }) => setting)).toEqual(faults)
    if (config.ok && "DAYPASS_ROTATE_EVERY" in settings) expect(config.value.rotateEverySeconds).toBe(90 * 24 * 3600)
    expect(JSON.stringify(config)).not.toContain("MTIzNDU2")
  })

  it("are a URL and a key; the rest follows", () => {
    expect(read(GOOD)).toMatchObject({
      url: "https://daypass.example.com",
      audience: "https://daypass.example.com",
      deployment: "https://daypass.example.com",
    })
    expect(read(GOOD).kek?.reveal()).toHaveLength(32)
  })

  it("may name the audience and the deployment", () => {
    const config = read({ ...GOOD, DAYPASS_AUDIENCE: "daypass", DAYPASS_DEPLOYMENT: "staging" })
    expect(config).toMatchObject({ audience: "daypass", deployment: "staging" })
  })

  it.each([
    ["https://daypass.example.com/", "https://daypass.example.com"],
    ["https://DAYPASS.example.com:443", "https://daypass.example.com"],
    ["https://example.com/broker//", "https://example.com/broker"],
    ["http://127.0.0.1:8787", "http://127.0.0.1:8787"],
  ])("spell the URL %s as %s, since iss is compared as text", (url, spelled) => {
    expect(read({ ...GOOD, DAYPASS_URL: url }).url).toBe(spelled)
  })

  it("take a path off the default audience, which is the origin", () => {
    expect(read({ ...GOOD, DAYPASS_URL: "https://example.com/broker" }).audience).toBe("https://example.com")
  })

  it("report all faults together, and the value of none", () => {
    const faults = faultsOf({ DAYPASS_URL: "ftp://canary", DAYPASS_KEK: "canary", DAYPASS_AUDIENCE: "canary canary" })
    expect(faults.map(({ setting }) => setting)).toEqual(["DAYPASS_URL", "DAYPASS_KEK", "DAYPASS_AUDIENCE"])
    expect(JSON.stringify(faults)).not.toContain("canary")
  })

  it("may name a GitHub App, which speaks to github.com unless told otherwise", () => {
    const app = { DAYPASS_GITHUB_APP_ID: "12345", DAYPASS_GITHUB_APP_KEY: "canary\n" }
    expect(read(GOOD).gitHubApp).toBeUndefined()
    expect(read({ ...GOOD, ...app }).gitHubApp).toMatchObject({
      id: "12345",
      apiUrl: "https://api.github.com",
      issuerUrl: "https://token.actions.githubusercontent.com",
    })
    expect(read({ ...GOOD, ...app }).gitHubApp?.key.reveal()).toBe("canary")
    const server = {
      DAYPASS_GITHUB_API_URL: "https://ghes.example.com/api/v3/",
      DAYPASS_GITHUB_ISSUER: "https://ghes.example.com/_services/token",
    }
    expect(read({ ...GOOD, ...app, ...server }).gitHubApp).toMatchObject({
      apiUrl: "https://ghes.example.com/api/v3",
      issuerUrl: "https://ghes.example.com/_services/token",
    })
  })

  it("may have an access token for GitLab, which goes to gitlab.com unless told otherwise", () => {
    const token = { DAYPASS_GITLAB_TOKEN: "glpat-canary\n" }
    expect(read(GOOD).gitLab).toBeUndefined()
    expect(read({ ...GOOD, DAYPASS_GITLAB_TOKEN: "" }).gitLab).toBeUndefined()
    expect(read({ ...GOOD, ...token }).gitLab).toMatchObject({
      apiUrl: "https://gitlab.com/api/v4",
      issuerUrl: "https://gitlab.com",
    })
    expect(read({ ...GOOD, ...token }).gitLab?.token.reveal()).toBe("glpat-canary")
    const server = { DAYPASS_GITLAB_ISSUER: "https://gitlab.example.com/" }
    expect(read({ ...GOOD, ...token, ...server }).gitLab).toMatchObject({
      apiUrl: "https://gitlab.example.com/api/v4",
      issuerUrl: "https://gitlab.example.com",
    })
    const elsewhere = { ...server, DAYPASS_GITLAB_API_URL: "https://inside.example.com/gitlab/api/v4/" }
    expect(read({ ...GOOD, ...token, ...elsewhere }).gitLab).toMatchObject({
      apiUrl: "https://inside.example.com/gitlab/api/v4",
      issuerUrl: "https://gitlab.example.com",
    })
  })

  it("may demand policies from Workers KV alone", () => {
    expect(read(GOOD).onlyPublishedPolicies).toBe(false)
    expect(read({ ...GOOD, DAYPASS_POLICIES: "kv" }).onlyPublishedPolicies).toBe(true)
    expect(faultsOf({ ...GOOD, DAYPASS_POLICIES: "bundle" }).map(({ setting }) => setting)).toEqual([
      "DAYPASS_POLICIES",
    ])
  })

  it("may name a jurisdiction of the edge: one that Cloudflare has for Durable Objects", () => {
    expect(read(GOOD).jurisdiction).toBe("")
    for (const name of ["", "eu", "us", "fedramp", "fedramp-high"]) {
      expect(read({ ...GOOD, DAYPASS_JURISDICTION: name }).jurisdiction).toBe(name)
    }
    for (const value of ["EU", "eu ", "de", 1, ["eu"]]) {
      expect(faultsOf({ ...GOOD, DAYPASS_JURISDICTION: value }).map(({ setting }) => setting)).toEqual([
        "DAYPASS_JURISDICTION",
      ])
    }
  })

  it("say for how long an older set of policies is used: fifteen minutes, if they do not say it", () => {
    expect(read(GOOD).maxStaleSeconds).toBe(900)
    expect(read({ ...GOOD, DAYPASS_MAX_STALE: "" }).maxStaleSeconds).toBe(900)
    expect(read({ ...GOOD, DAYPASS_MAX_STALE: "1m" }).maxStaleSeconds).toBe(60)
    expect(read({ ...GOOD, DAYPASS_MAX_STALE: "24h" }).maxStaleSeconds).toBe(86_400)
    for (const value of ["59s", "25h", "15", "0m", "1h30m", "-1m", 900]) {
      expect(faultsOf({ ...GOOD, DAYPASS_MAX_STALE: value }).map(({ setting }) => setting)).toEqual([
        "DAYPASS_MAX_STALE",
      ])
    }
  })

  it("may name those who publish policies, as openssl prints their keys", () => {
    const keys = [1, 2].map(() => generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }))
    const publishers = (value: string) => read({ ...GOOD, DAYPASS_POLICY_PUBLISHER: value }).policyPublishers
    expect(read(GOOD).policyPublishers).toEqual([])
    const bodies = keys.map((pem) => String(pem).split("\n")[1])
    for (const value of [keys.join(""), bodies.join(" "), bodies.join(",\n")]) expect(publishers(value)).toEqual(bodies)
    const others = ["canary", `${bodies[0]} canary`, String(bodies[0]).slice(0, -2), " "]
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" })
    for (const value of [...others, String(rsa)]) {
      const [fault] = faultsOf({ ...GOOD, DAYPASS_POLICY_PUBLISHER: value })
      expect(fault?.setting).toBe("DAYPASS_POLICY_PUBLISHER")
      expect(fault?.message).not.toContain("canary")
    }
  })

  it.each([
    ["an App without its key", { DAYPASS_GITHUB_APP_ID: "1" }, "DAYPASS_GITHUB_APP_KEY"],
    ["an App's key without its id", { DAYPASS_GITHUB_APP_KEY: "canary" }, "DAYPASS_GITHUB_APP_ID"],
    ["an id with a space", { DAYPASS_GITHUB_APP_ID: "canary 1" }, "DAYPASS_GITHUB_APP_ID"],
    [
      "a webhook's secret without an App",
      { DAYPASS_GITHUB_HOOK_SECRET: "canary-".repeat(5) },
      "DAYPASS_GITHUB_HOOK_SECRET",
    ],
    ["a webhook's secret that is short", { DAYPASS_GITHUB_HOOK_SECRET: "canary" }, "DAYPASS_GITHUB_HOOK_SECRET"],
    [
      "three secrets of a webhook",
      { DAYPASS_GITHUB_HOOK_SECRET: Array(3).fill("canary-".repeat(5)).join(" ") },
      "DAYPASS_GITHUB_HOOK_SECRET",
    ],
    ["an API over http", { DAYPASS_GITHUB_API_URL: "http://canary.example.com" }, "DAYPASS_GITHUB_API_URL"],
    ["an API with a user", { DAYPASS_GITHUB_API_URL: "https://canary@example.com" }, "DAYPASS_GITHUB_API_URL"],
    ["an issuer that is no URL", { DAYPASS_GITHUB_ISSUER: "canary" }, "DAYPASS_GITHUB_ISSUER"],
    ["a token of GitLab with a space", { DAYPASS_GITLAB_TOKEN: "glpat canary" }, "DAYPASS_GITLAB_TOKEN"],
    ["a token of GitLab that is no text", { DAYPASS_GITLAB_TOKEN: 12345678 }, "DAYPASS_GITLAB_TOKEN"],
    ["an issuer of GitLab over http", { DAYPASS_GITLAB_ISSUER: "http://canary.example.com" }, "DAYPASS_GITLAB_ISSUER"],
    [
      "an API of GitLab with a user",
      { DAYPASS_GITLAB_API_URL: "https://canary@example.com" },
      "DAYPASS_GITLAB_API_URL",
    ],
    [
      "one issuer for GitHub and GitLab",
      {
        DAYPASS_GITHUB_APP_ID: "1",
        DAYPASS_GITHUB_APP_KEY: "canary",
        DAYPASS_GITLAB_TOKEN: "glpat-canary",
        DAYPASS_GITLAB_ISSUER: "https://token.actions.githubusercontent.com",
      },
      "DAYPASS_GITLAB_ISSUER",
    ],
  ])("refuse %s", (_, settings, setting) => {
    const faults = faultsOf({ ...GOOD, ...settings })
    expect(faults.map((fault) => fault.setting)).toEqual([setting])
    expect(JSON.stringify(faults)).not.toContain("canary")
  })

  it.each([
    ["nothing", undefined],
    ["an empty text", ""],
    ["a number", 7],
    ["http on a public host", "http://daypass.example.com"],
    ["a host that only begins like loopback", "http://127.0.0.1.example.com"],
    ["a query", "https://daypass.example.com/?x=1"],
    ["a fragment", "https://daypass.example.com/#x"],
    ["a query that is empty", "https://daypass.example.com?"],
    ["a fragment that is empty", "https://daypass.example.com#"],
    ["a user", "https://user:password@daypass.example.com"],
    ["a way up in the path", "https://daypass.example.com/a/../b"],
    ["an encoded way up", "https://daypass.example.com/%2e%2e/b"],
    ["a backslash", "https://daypass.example.com\\b"],
    ["a dot after the host", "https://daypass.example.com."],
    ["a host that is not ASCII", "https://dayp\u00e4ss.example.com"],
    ["a star", "https://*.example.com"],
    ["words", "daypass"],
  ])("refuse %s for the URL", (_, url) => {
    expect(faultsOf({ ...GOOD, DAYPASS_URL: url }).map(({ setting }) => setting)).toEqual(["DAYPASS_URL"])
  })

  it.each([
    ["too short a key", btoa("short")],
    ["too long a key", btoa("x".repeat(33))],
    ["a passphrase", "correct horse battery staple correct horse ba"],
    ["zeros", btoa("\0".repeat(32))],
    ["a key of one byte repeated", btoa("a".repeat(32))],
  ])("refuse %s", (_, kek) => {
    expect(faultsOf({ ...GOOD, DAYPASS_KEK: kek }).map(({ setting }) => setting)).toEqual(["DAYPASS_KEK"])
  })

  it("take a key in base64url too, and without padding", () => {
    const url = KEK.replace(/\+/g, "-").replace(/\//g, "_").replace(/=$/, "")
    expect(read({ ...GOOD, DAYPASS_KEK: url }).kek?.reveal()).toEqual(read(GOOD).kek?.reveal())
  })

  it("may lack a key, which whoever starts the broker must then answer for", () => {
    expect(read({ DAYPASS_URL: "http://localhost:1" })).not.toHaveProperty("kek")
  })

  it.each([
    ["http://127.0.0.1:8787", true],
    ["http://localhost", true],
    ["http://[::1]:1", true],
    ["https://127.9.9.9", true],
    ["https://daypass.example.com", false],
    ["https://127.0.0.1.example.com", false],
  ])("are this machine's alone at %s: %s", (url, local) => {
    expect(isLocal(read({ ...GOOD, DAYPASS_URL: url }))).toBe(local)
  })

  it("refuse an audience in which a plain token would read like a key-bound one", () => {
    const audience = `https://daypass.example.com?jkt=${"A".repeat(43)}`
    expect(faultsOf({ ...GOOD, DAYPASS_AUDIENCE: audience }).map(({ setting }) => setting)).toEqual([
      "DAYPASS_AUDIENCE",
    ])
  })

  it.each([
    ["127.0.0.1", true],
    ["::1", true],
    ["localhost", true],
    ["0.0.0.0", false],
    ["::", false],
    ["", false],
    ["192.168.1.7", false],
  ])("can be reached at the address %o by this machine alone: %s", (address, local) => {
    expect(isLocalAddress(address)).toBe(local)
  })

  it("never print the key", () => {
    expect(JSON.stringify(read(GOOD))).not.toContain(KEK.slice(0, 12))
    expect(`${read(GOOD).kek}`).toBe("[secret]")
  })
})
