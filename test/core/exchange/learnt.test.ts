import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { Learnt } from "../../../broker/core/audit-record.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { learntOf } from "../../../broker/exchange/learnt.ts"
import type { MintedGrant } from "../../../broker/exchange/mint.ts"
import { CASE_SUBJECT } from "../../../broker/providers/case.ts"
import { CASES } from "../../../broker/providers/cases.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import type { Minted, MintedValue } from "../../../broker/providers/provider.ts"
import { cryptography } from "../../support/cryptography.ts"
import { makeProviderIo, ScriptedHttp } from "../../support/provider-io.ts"
import { job } from "../job.ts"

const TOKEN = "ghs_0123456789abcdefghijABCDEFGHIJ012345"

/** What a grant's mint tells records. The grant is only known by its name. */
const mintedAs = (name: string, minted: Partial<Minted>): MintedGrant => ({
  granted: { grant: { name }, ttlSeconds: 900 } as MintedGrant["granted"],
  minted: { values: {}, expiresAt: null, revocation: "expires-only", ...minted },
  at: 0,
})
const learnt = (minted: Partial<Minted>): Learnt | undefined =>
  learntOf([mintedAs("one", minted)], cryptography).get("one")

const textOf = ({ value }: MintedValue) => (value instanceof Secret ? value.reveal() : value)

/** What every recorded story of a provider mints. */
async function mintedInCases(provider: string): Promise<readonly Minted[]> {
  const one = PROVIDERS.get(provider)
  if (one === undefined) throw new Error(`there is no provider ${provider}`)
  const all: Minted[] = []
  for (const story of CASES.get(provider) ?? []) {
    if ("code" in story.expect) continue
    const connection = one.connection.parse(story.connection)
    const grant = one.grant.parse(story.grant)
    const http = new ScriptedHttp(story.replies)
    const io = makeProviderIo({ http: http.http, secrets: story.secrets ?? {}, kept: new Map() })
    const files = story.files === undefined ? {} : { files: new Map(Object.entries(story.files)) }
    const about = { grantName: "the-grant", subject: CASE_SUBJECT, connectionName: "the-connection" }
    const lease = "b7e1c9f0-0000-4000-8000-000000000000"
    const { ttlSeconds } = story
    all.push(await one.mint({ identity: job(), ...about, connection, grant, ttlSeconds, lease, ...files }, io))
  }
  return all
}

describe("what a record learns of a mint", () => {
  it("is the SHA-256 of a token that its provider marks, as everybody can compute it", () => {
    const values = { token: { value: new Secret(TOKEN), recorded: "fingerprint" }, owner: { value: "acme" } } as const
    const fingerprint = createHash("sha256").update(TOKEN).digest("hex")
    expect(learnt({ values })).toEqual({ fingerprints: { token: fingerprint } })
  })

  it("names the keys that opened encrypted files, on one line, and as many as there is room for", () => {
    const keys = { "shop.sops.yaml": "arn:aws:kms:eu-west-1:111122223333:key/x", "a\nb.sops.yaml": "age1x" }
    expect(learnt({ keys })).toEqual({
      keys: { "shop.sops.yaml": keys["shop.sops.yaml"], "a\\u000ab.sops.yaml": "age1x" },
    })
    const long = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`${at}.sops.yaml`, `age1pq1${"q".repeat(1952)}`]),
    )
    const room = Object.values(learnt({ keys: long })?.keys ?? {})
    expect([room.length, room.filter((key) => key === null).length]).toEqual([9, 1])
  })

  it.each<[string, MintedValue]>([
    ["what its provider does not mark", { value: new Secret(TOKEN) }],
    ["a marked text that is too short for a token", { value: new Secret("hunter2"), recorded: "fingerprint" }],
    ["a secret key in the place of an id", { value: new Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCY"), recorded: "id" }],
    ["a secret key of letters and digits in the place of an id", { value: new Secret(TOKEN.slice(4)), recorded: "id" }],
  ])("is nothing of %s", (_, value) => {
    expect(learnt({ values: { value } })).toEqual({})
  })

  it("is an access key id in clear", () => {
    const id = { value: new Secret("ASIAIOSFODNN7EXAMPLE"), recorded: "id" } as const
    expect(learnt({ values: { "access-key-id": id } })).toEqual({ ids: { "access-key-id": "ASIAIOSFODNN7EXAMPLE" } })
  })

  it("has room for all versions of a record together, and says which are missing", () => {
    const versions = Object.fromEntries(
      Array.from({ length: 64 }, (_, at) => [`secret/${at}${"x".repeat(at % 8 ? 40 : 500)}`, "v".repeat(64)]),
    )
    const grants = Array.from({ length: 32 }, (_, at) => mintedAs(`grant-${at}`, { versions }))
    const all = [...learntOf(grants, cryptography).values()]
    const size = all.reduce((sum, one) => sum + JSON.stringify(one.versions).length, 0)
    expect(size).toBeLessThanOrEqual(16 * 1024)
    for (const { versions: kept = {}, versions_left_out: leftOut = 0 } of all) {
      expect(Object.keys(kept).length + leftOut).toBe(64)
      expect(leftOut).toBeGreaterThan(0)
    }
    expect(learntOf([mintedAs("one", { versions: { "secret/a": "3" } })], cryptography).get("one")).toEqual({
      versions: { "secret/a": "3" },
    })
  })

  it("escapes what is invisible in a place's name", () => {
    expect(learnt({ versions: { "shop\u2028/key": "1" } })).toEqual({ versions: { "shop\\u{2028}/key": "1" } })
  })
})

describe("of every provider, by its recorded stories", () => {
  it.each([...PROVIDERS.keys()])("%s: no record has a secret value, in clear or hashed plainly", async (provider) => {
    for (const minted of await mintedInCases(provider)) {
      const said = JSON.stringify(learnt(minted))
      const values = Object.values(minted.values).map((one) => ({ ...one, text: textOf(one) }))
      const hashed = new Set(values.flatMap(({ recorded, text }) => (recorded === "fingerprint" ? [text] : [])))
      for (const { value, recorded, text } of values) {
        if (!(value instanceof Secret) || text === "" || recorded === "id") continue
        if (text.length >= 8) expect(said).not.toContain(text)
        if (hashed.has(text)) continue
        const digest = createHash("sha256").update(text)
        expect(said).not.toContain(digest.copy().digest("hex"))
        expect(said).not.toContain(digest.digest("base64url"))
      }
    }
  })

  it("only tokens that it minted for the job are marked", async () => {
    const marked: Record<string, string[]> = {}
    for (const provider of PROVIDERS.keys()) {
      const found = (await mintedInCases(provider)).flatMap(({ values }) =>
        Object.entries(values).flatMap(([name, { recorded }]) => (recorded ? [`${name}: ${recorded}`] : [])),
      )
      if (found.length > 0) marked[provider] = [...new Set(found)].sort()
    }
    expect(marked).toEqual({
      aws: ["access-key-id: id", "session-token: fingerprint"],
      azure: ["access-token: fingerprint", "federated-token: fingerprint"],
      broker: ["token: fingerprint"],
      github: ["token: fingerprint"],
      google: ["access-token: fingerprint", "federated-token: fingerprint"],
      "identity-token": ["token: fingerprint"],
      // The fields of a session of the AWS engine, in the variables that the stories name.
      vault: ["AWS_ACCESS_KEY_ID: id", "AWS_SESSION_TOKEN: fingerprint", "token: fingerprint"],
    })
  })

  it("stores that name versions in their answers have them in the record", async () => {
    const versioned: Record<string, unknown> = {}
    for (const provider of PROVIDERS.keys()) {
      const [first] = (await mintedInCases(provider)).flatMap(({ versions }) => (versions ? [versions] : []))
      if (first !== undefined) versioned[provider] = Object.entries(first)[0]
    }
    expect(versioned).toEqual({
      "1password": [expect.stringMatching("^op://"), "5"],
      "aws-parameter-store": ["/shop/db/password", "4"],
      "aws-secrets-manager": ["shop/stripe", "a1b2c3d4-5678-90ab-cdef-1234567890ab"],
      "azure-key-vault": ["shop-db", "4387e9f3d6e14c459867679a90fd0f79"],
      "google-secret-manager": ["shop-db", "7"],
      infisical: ["6f0b9c2e-1d34-4a57-8e90-b1c2d3e4f506/prod/payments/eu/DB_PASSWORD", "3"],
      vault: ["secret/shop/db", "7"],
    })
  })
})
