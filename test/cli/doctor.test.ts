import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { type Http, HttpError } from "../../broker/ports/http.ts"
import { doctor } from "../../cli/doctor/doctor.ts"
import type { Sight } from "../../cli/doctor/sight.ts"
import { trailFromExport } from "../flow/trail.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { CLIENT, type OpenIdProvider, openIdProvider } from "../support/openid/provider.ts"
import type { Vendor } from "../support/vendor.ts"
import { startVendors, trustBroker, vendorSecrets, writeToolsFolder } from "../support/vendor-world.ts"
import { folderOf, ORGANISATION, POLICY, runWork, type Script, scriptedIo } from "./run-cli.ts"

const OPS = { repository: "acme/ops", repository_id: "77", repository_owner_id: "9001", ref: "refs/heads/main" }

const http = createHttp({ userAgent: "daypass-test" })
const noSight: Sight = {
  addresses: async () => ["203.0.113.7"],
  certificateEnd: async () => new Date("2027-02-20T00:00:00Z"),
}

interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(args: readonly string[], script: Script = {}, sight = noSight): Promise<Told> {
  const [out, err]: [string[], string[]] = [[], []]
  const io = { ...scriptedIo({ http, now: () => new Date(), ...script }) }
  const said = { ...io, out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) }
  const code = await runWork("doctor", args, said, (given) => doctor(given, said, sight))
  return { code, out: out.join("\n"), err: err.join("\n") }
}

interface Findings {
  readonly ok: boolean
  readonly findings: readonly { readonly check: string; readonly state: string; readonly detail: string }[]
}
const findingsIn = ({ out }: Told) => JSON.parse(out) as Findings

describe("a doctor and a broker", () => {
  const ends = new AsyncDisposableStack()
  let [github, people, broker] = [] as unknown as [GitHub, OpenIdProvider, NodeBroker]
  let vendors: readonly Vendor[] = []
  let policies = ""
  let runs = 0

  beforeAll(async () => {
    ;[github, people, vendors] = await Promise.all([startGitHub(), openIdProvider(), startVendors(ends)])
    ends.defer(() => github.close())
    ends.defer(() => people.close())
    policies = join(folderOf({}), "policies")
    writeToolsFolder(policies, github.issuer, vendors)
    const organisation = join(policies, "daypass.yaml")
    const text = readFileSync(organisation, "utf8")
    const more = `  staff: { family: openid, url: "${people.url}", audience: ${CLIENT} }
connections:
  operators: { provider: broker, may: [policies.read, audit.read] }
`
    writeFileSync(organisation, text.replace("connections:\n", more))
    writeFileSync(
      join(policies, "acme/ops.yaml"),
      `version: 1
issuer: github
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [doctor, of-aws, auditor] }
grants:
  doctor: { connection: operators, may: [policies.read] }
  of-aws: { connection: operators, may: [policies.read], connections: [aws-tools] }
  auditor: { connection: operators, may: [audit.read] }
`,
    )
    broker = await startNodeBroker({ policies, settings: vendorSecrets(vendors) })
    ends.defer(async () => void (await broker.stop()))
  }, 120_000)
  afterAll(() => ends.disposeAsync())

  const asOperator = async (grant: string): Promise<readonly string[]> => {
    const file = join(folderOf({}), "token")
    const token = await github.mint({ ...OPS, run_id: `${++runs}` }, { audience: broker.url })
    writeFileSync(file, token)
    return ["--grant", grant, "--token-file", file]
  }
  /** What each connection's other side says, in one word. */
  const trust = async () => {
    const told = findingsIn(await run([broker.url, "--json", ...(await asOperator("doctor"))]))
    const lines = told.findings.filter(({ check }) => check.startsWith("trust "))
    return lines.map(({ check, state, detail }) => `${state} ${check.slice(6)} ${detail.split(". ")[0]}`)
  }

  it("tells what everybody can see of it, with nothing to fix", async () => {
    const told = await run([broker.url, "--policies", policies])
    const shown = told.out.replaceAll(broker.url, "BROKER").replaceAll(people.url, "PEOPLE").replaceAll(policies, "DIR")
    const lines = shown.split("\n").map((line) => line.replace(/[\w-]{43}|[0-9a-f]{16}|2\d{3}-\S+Z/g, "X"))
    const health = lines.filter((line) => line.includes(" health: "))
    expect(health).toContain("ok    health: ledger: ok")
    expect(health.filter((line) => !/^ok {4}health: [a-z]+: ok$/.test(line))).toEqual([])
    expect(lines.filter((line) => !health.includes(line))).toEqual([
      "note  address: 127.0.0.1 is this machine: no cloud and no job of another can reach it.",
      "ok    clock: The broker's clock and this machine's agree.",
      "ok    issuer: The broker is the issuer BROKER.",
      "ok    keys: 1 key for RS256: X.",
      "ok    policies: 2 policies, version X, loaded at X: those of the folder.",
      "ok    sign-in: People sign in at PEOPLE.",
      expect.stringMatching(
        /^note {2}subjects: .* daypass trust DIR lists: aws-tools \(1 subject\), google \(2 subjects\),/,
      ),
      "Nothing to fix.",
    ])
    expect(shown).not.toMatch(/sops-tools|onepassword/)
    expect(told.code).toBe(0)
  })

  it("tells of each connection whether its other side trusts the broker, and why not", async () => {
    const [pool, role] = [
      "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker",
      "arn:aws:iam::111122223333:role/daypass-read",
    ]
    const expected = (word: string, state: string) => [
      "note operators Nobody to ask: the provider broker calls others only through other connections.",
      `${state} aws-tools account 111122223333: ${word}`,
      `${state} google ${pool}: ${word}`,
      expect.stringMatching(`^${state} azure-prod client [0-9a-f-]{36}: ${word}$`),
      // These two need no token of the broker.
      "ok github-acme App 730001 on acme: trusted",
      expect.stringMatching(
        word === "trusted" ? "^note vault auth/jwt: reachable$" : "^fix vault auth/jwt: not trusted$",
      ),
      `${state} aws-stores-secrets ${role}: ${word}`,
      `${state} aws-stores-parameters ${role}: ${word}`,
      expect.stringMatching(`^${state} azure-key-vault-tools client [0-9a-f-]{36}: ${word}$`),
      // Their refusals give no reason.
      "note conjur-tools authn-jwt/daypass: reachable",
      expect.stringMatching("^note doppler-tools identity [0-9a-f-]{36}: reachable$"),
      `${state} google-secret-manager-tools ${pool}: ${word}`,
      `${state} google-secret-manager-eu ${pool}: ${word}`,
      expect.stringMatching(`^${state} infisical-tools identity [0-9a-f-]{36}: ${word}$`),
      expect.stringMatching("^ok onepassword-tools http://127.0.0.1:[0-9]+: trusted$"),
      "note sops-kms Nobody to ask: the provider sops calls others only through other connections.",
      "note sops-tools Nobody to ask: the provider sops calls others only through other connections.",
      `${state} sops-aws account 111122223333: ${word}`,
    ]
    expect(await trust()).toEqual(expected("not trusted", "fix"))
    await trustBroker(vendors, broker.url)
    expect(await trust()).toEqual(expected("trusted", "ok"))
    expect(vendors.map((vendor) => vendor.alive())).toEqual(vendors.map(() => 0))
    for (const vendor of vendors) vendor.assertClean()
  }, 60_000)

  it("is asked by operators of policies.read alone, within their connections, recorded before", async () => {
    const aws = findingsIn(await run([broker.url, "--json", ...(await asOperator("of-aws"))]))
    expect(aws.findings.filter(({ check }) => check.startsWith("trust ")).map(({ check }) => check)).toEqual([
      "trust aws-tools",
    ])
    const other = await run([broker.url, ...(await asOperator("auditor"))])
    expect(other.out).toMatch(/fix {3}exchange: .*policies\.read.* \[not_allowed\]/)
    expect(other.code).toBe(1)
    const records = trailFromExport(readAuditTrail(broker.data), github.issuer, "77").map(
      ({ record }) => `${record.event}: ${record.reason}`,
    )
    expect(records).toContain(
      "operator.acted: doctor: asks the other side of connection aws-tools whether it trusts the broker",
    )
    expect(records.filter((text) => text.includes("connection operators"))).toEqual([])
  })
})

const BROKER = "https://daypass.example.com"
const NOW = new Date("2026-11-22T12:00:00Z")
const key = { kty: "RSA", alg: "RS256", use: "sig", e: "AQAB", kid: "k1", n: `${"x".repeat(341)}w` }

/** The public documents of a broker, with changes; `null`: nobody is there. */
function publicBroker(changes: Readonly<Record<string, unknown>> = {}, date: string | null = NOW.toUTCString()): Http {
  const documents: Readonly<Record<string, unknown>> = {
    "/.well-known/openid-configuration": {
      issuer: BROKER,
      jwks_uri: `${BROKER}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ["RS256"],
    },
    "/.well-known/jwks.json": { keys: [key] },
    "/.well-known/daypass": { people: [] },
    "/healthz": {
      policies: { version: "a".repeat(64), policies: 3, loaded_at: "2026-11-22T11:00:00.000Z" },
      parts: { keys: { state: "ok" } },
    },
    ...changes,
  }
  return async ({ url }) => {
    const document = documents[url.slice(BROKER.length)]
    if (document instanceof Error) throw document
    const status = document === undefined ? 404 : 200
    const body = typeof document === "string" ? document : JSON.stringify(document ?? {})
    return { status, header: (name) => (name === "date" ? date : null), body: new TextEncoder().encode(body) }
  }
}

describe("a doctor", () => {
  const look = async (script: Script, sight: Partial<Sight> = {}, ...args: string[]) => {
    const told = await run([BROKER, ...args], { now: () => NOW, ...script }, { ...noSight, ...sight })
    return { code: told.code, wrong: told.out.split("\n").filter((line) => line.startsWith("fix ")), out: told.out }
  }

  it("finds nothing to fix at a broker that is right", async () => {
    expect(await look({ http: publicBroker() })).toMatchObject({ code: 0, wrong: [] })
  })

  const discovery = (change: object) => ({
    "/.well-known/openid-configuration": {
      issuer: BROKER,
      jwks_uri: `${BROKER}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ["RS256"],
      ...change,
    },
  })
  const healthz = (change: object) => ({
    "/healthz": { policies: { version: null, policies: 0, loaded_at: null }, parts: {}, ...change },
  })
  const unreachable = (code: string) => ({
    "/.well-known/openid-configuration": new HttpError("unreachable", { cause: new Error(code) }),
  })
  it.each<readonly [string, Http, Partial<Sight>, string]>([
    ["a host without an address", publicBroker(unreachable("ENOTFOUND")), {}, "http: .* has no address. Make the DNS"],
    ["a port where nothing listens", publicBroker(unreachable("ECONNREFUSED")), {}, "http: .* refuses connections"],
    ["an old certificate", publicBroker(unreachable("CERT_HAS_EXPIRED")), {}, "http: .* has expired. Renew it"],
    [
      "a redirect",
      publicBroker({ "/.well-known/openid-configuration": new HttpError("redirect") }),
      {},
      "http: .* redirects",
    ],
    ["no broker", publicBroker({ "/.well-known/openid-configuration": "<html>" }), {}, "issuer: .* no JSON object"],
    ["another name", publicBroker(discovery({ issuer: `${BROKER}/` })), {}, `issuer: .* itself ${BROKER}/, and not`],
    ["other keys", publicBroker(discovery({ jwks_uri: "https://x.example/jwks" })), {}, "issuer: .* other keys"],
    ["no RS256", publicBroker(discovery({ id_token_signing_alg_values_supported: ["ES256"] })), {}, "issuer: .* RS256"],
    ["no key", publicBroker({ "/.well-known/jwks.json": { keys: [] } }), {}, "keys: The key set has no usable key"],
    [
      "a weak key",
      publicBroker({ "/.well-known/jwks.json": { keys: [key, { ...key, kid: "k2", n: "AQAB" }] } }),
      {},
      "keys: 1 key of the set",
    ],
    [
      "a private key",
      publicBroker({ "/.well-known/jwks.json": { keys: [{ ...key, d: "AQAB" }] } }),
      {},
      "keys: The key set has no usable key",
    ],
    [
      "two keys of one name",
      publicBroker({ "/.well-known/jwks.json": { keys: [key, key] } }),
      {},
      "keys: .* the same kid",
    ],
    ["no policies", publicBroker(healthz({})), {}, "policies: No policies are in force"],
    [
      "a broken folder",
      publicBroker(
        healthz({ policies: { version: "b", policies: 1, loaded_at: null, stale: { since: "then", faults: 2 } } }),
      ),
      {},
      "policies: .* old since then: the newer ones have 2 errors",
    ],
    [
      "a part that fails",
      publicBroker(healthz({ parts: { ledger: { state: "unavailable", reason: "The disk is full." } } })),
      {},
      "health: ledger: unavailable: The disk is full",
    ],
    ["an old broker", publicBroker({ "/healthz": { ok: true } }), {}, "health: /healthz answers HTTP 200, and not"],
    ["a clock that is ahead", publicBroker({}, "Sun, 22 Nov 2026 12:02:00 GMT"), {}, "clock: .* 120 s ahead of"],
    [
      "a clock that is behind",
      publicBroker({}, "Sun, 22 Nov 2026 11:58:00 GMT"),
      {},
      "clock: .* behind this machine's",
    ],
    [
      "a certificate that ends soon",
      publicBroker(),
      { certificateEnd: async () => new Date("2026-11-30T00:00:00Z") },
      "certificate: .* until 2026-11-30, in 7 days",
    ],
    [
      "a provider that does not answer",
      publicBroker({ "/.well-known/daypass": { people: [{ name: "staff", url: `${BROKER}/idp`, client_id: "x" }] } }),
      {},
      "sign-in: .*/idp answers HTTP 404",
    ],
  ])("says what to fix for %s", async (_, http, sight, expected) => {
    const { code, wrong } = await look({ http }, sight)
    expect(wrong).toContainEqual(expect.stringMatching(`^fix {3}${expected}`))
    expect(code).toBe(1)
  })

  it("only notes what this machine cannot tell", async () => {
    const sight: Sight = {
      addresses: async () => ["10.0.0.7"],
      certificateEnd: async () => null,
    }
    const { code, out } = await look({ http: publicBroker({}, null) }, sight)
    expect(out.split("\n").filter((line) => line.startsWith("note"))).toEqual([
      expect.stringContaining("10.0.0.7 here, which is no public address"),
      expect.stringContaining("The certificate cannot be looked at"),
      expect.stringContaining("The answer has no Date"),
    ])
    expect(code).toBe(0)
    const unknown = { addresses: () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" })) }
    expect((await look({ http: publicBroker() }, unknown)).out).toContain(
      "cannot look up daypass.example.com (ENOTFOUND)",
    )
  })

  it("compares with a folder, and refuses one that does not load, and what is no broker's URL", async () => {
    const folder = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": POLICY })
    const { wrong } = await look({ http: publicBroker() }, {}, "--policies", folder)
    expect(wrong).toEqual([
      expect.stringMatching(/^fix {3}policies: .*, are in force, and the folder has version [0-9a-f]{16}/),
    ])
    const broken = folderOf({ "daypass.yaml": "version: 2\n" })
    expect((await run([BROKER, "--policies", broken])).code).toBe(2)
    for (const text of ["http://daypass.example.com", `${BROKER}/path`, "daypass", ""])
      expect((await run([text])).code).toBe(2)
    expect((await run([BROKER, BROKER])).code).toBe(2)
  })
})
