import { describe, expect, it } from "vitest"
import { type DiffWorld, diffOf } from "./world.ts"

// RFC 7515 appendices A.3 and A.4.
const ONE = {
  kty: "EC",
  kid: "one",
  crv: "P-256",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
const TWO = {
  kty: "EC",
  kid: "two",
  crv: "P-521",
  x: "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
  y: "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
}

const CLUSTER = { family: "kubernetes", url: "https://kubernetes.example.com" }
const world = (more: Readonly<Record<string, unknown>> = {}): DiffWorld => ({
  organisation: { issuers: { cluster: { ...CLUSTER, ...more } } },
  policies: {},
})
const jwks = (...keys: object[]) => world({ jwks: { keys } })

const changes = (old: DiffWorld, next: DiffWorld) => {
  const diff = diffOf(old, next)
  return diff.changes.map(({ direction, kind, says }) => `${direction} ${kind}: ${says}`)
}

describe("the keys of an issuer", () => {
  const PUBLISHED = "tokens signed with the keys that the issuer publishes"
  const FIXED = "tokens signed with the keys at https://keys.example.com/jwks"
  const LISTED = 'tokens signed with the keys of this file: "one"'
  const at = world({ jwks_url: "https://keys.example.com/jwks" })

  it.each<[string, DiffWorld, DiffWorld, string, string]>([
    ["fixed", world(), at, FIXED, PUBLISHED],
    ["left to the issuer again", at, world(), PUBLISHED, FIXED],
    ["listed", world(), jwks(ONE), LISTED, PUBLISHED],
    ["fetched again", jwks(ONE), at, FIXED, LISTED],
  ])("are more and less when they are %s", (_, old, next, now, before) => {
    expect(changes(old, next)).toEqual([
      `wider issuer: can use ${now} instead of ${before}`,
      `narrower issuer: can no longer use ${before}, now ${now}`,
    ])
  })

  it("are more when one is added, and less when one is removed", () => {
    expect(changes(jwks(ONE), jwks(TWO, ONE))).toEqual([
      'wider issuer: can use tokens signed with the added keys "two"',
    ])
    expect(changes(jwks(TWO, ONE), jwks(ONE))).toEqual([
      'narrower issuer: can no longer use tokens signed with the removed keys "two"',
    ])
  })

  it("are more and less when a kid gets another key, or another algorithm", () => {
    for (const other of [
      { ...TWO, kid: "one" },
      { ...ONE, alg: "ES256" },
    ]) {
      expect(changes(jwks(ONE), jwks(other))).toEqual([
        'wider issuer: can use tokens signed with the added keys "one"',
        'narrower issuer: can no longer use tokens signed with the removed keys "one"',
      ])
    }
  })

  it("are the same in another order, and with other members that nobody reads", () => {
    const { kty, ...rest } = ONE
    expect(changes(jwks(ONE, TWO), jwks({ ...TWO, x5t: "t" }, { ...rest, use: "sig", kty }))).toEqual([])
  })
})

it("another mapping of claims is more and less", () => {
  const url = "https://jenkins.example.com/oidc"
  const jenkins = (claims?: Readonly<Record<string, string>>): DiffWorld => ({
    organisation: { issuers: { ci: { family: "jenkins", url, ...(claims && { claims }) } } },
    policies: {},
  })
  const read = (mapping: string) => `tokens whose claims are read with ${mapping}`
  expect(changes(jenkins(), jenkins({ ref: "branch", environment: "env" }))).toEqual([
    `wider issuer: can use ${read("environment: env, ref: branch")} instead of ${read("no mapping")}`,
    `narrower issuer: can no longer use ${read("no mapping")}, now ${read("environment: env, ref: branch")}`,
  ])
  expect(changes(jenkins({ ref: "a", job: "b" }), jenkins({ job: "b", ref: "a" }))).toEqual([])
})
