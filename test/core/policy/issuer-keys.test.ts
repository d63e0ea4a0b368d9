import { describe, expect, it } from "vitest"
import { organisationJsonSchema } from "../../../analysis/schemas/json-schema.ts"
import type { Identity } from "../../../broker/core/identity.ts"
import { compiled, revived } from "../../../broker/core/policy/compiled.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { FAMILIES, identityIn } from "../../../broker/issuers/families.ts"
import { JENKINS_CASE } from "../issuers/families/jenkins.ts"
import { KUBERNETES_CASE } from "../issuers/families/kubernetes.ts"
import { faultsOf, load, setOf, shown, TEST_PROVIDERS } from "./support.ts"

// RFC 7515 appendix A.3.
const EC = {
  kty: "EC",
  kid: "one",
  crv: "P-256",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
// RFC 8037 appendix A.2.
const ED = { kty: "OKP", kid: "one", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }
const WEAK = { kty: "RSA", kid: "one", n: "_____________________w", e: "AQAB" }

const decided = (set: PolicySet, identity: Identity) =>
  decide({ organisation: set.organisation, policies: set.policiesOf(identity), identity, grants: ["note"] })

/** An organisation file with one issuer, whose further keys stand from line 6 on. */
const organisation = (more: string, family = "kubernetes", url = KUBERNETES_CASE.config.url) =>
  `version: 1\nissuers:\n  cluster:\n    family: ${family}\n    url: ${url}\n${more}connections:\n  notes: { provider: note }\n`
const jwks = (...keys: readonly unknown[]) =>
  `    jwks:\n      keys:\n${keys.map((key) => `        - ${JSON.stringify(key)}\n`).join("")}`
const keysIn = (more: string, family?: string) => {
  const loaded = load({ "daypass.yaml": organisation(more, family) })
  if (!loaded.ok) throw new Error(loaded.fault.map(({ message }) => message).join("\n"))
  return loaded.value.organisation.issuers.get("cluster")
}

describe("keys in the organisation file", () => {
  const listed = { kid: "one", alg: null, kty: "EC", crv: "P-256", x: EC.x, y: EC.y }

  it("are listed as a JWK set, in YAML or as a server prints them", () => {
    for (const more of [
      jwks({ ...EC, use: "sig" }),
      `    jwks: ${JSON.stringify({ keys: [{ ...EC, x5t: "t" }] })}\n`,
    ]) {
      expect(keysIn(more)?.keys).toEqual({ by: "list", list: [listed] })
    }
  })

  it("can be at another place", () => {
    expect(keysIn("    jwks_url: https://10.0.0.1:6443/openid/v1/jwks\n")?.keys).toEqual({
      by: "url",
      url: "https://10.0.0.1:6443/openid/v1/jwks",
    })
  })

  it("are where the family has them, when the file says nothing", () => {
    expect(keysIn("")).not.toHaveProperty("keys")
  })

  it("may be spelt as the family's issuers do, and no other family's", () => {
    const java = { kty: "RSA", kid: "one", n: `AP${"_".repeat(340)}8`, e: "AQAB" }
    expect(keysIn(jwks(java), "jenkins")?.keys).toMatchObject({ list: [{ kid: "one" }] })
    expect(faultsOf({ "daypass.yaml": organisation(jwks(java)) }).map(shown)).toEqual([
      `daypass.yaml:8:${column(java, "n")} value_invalid`,
    ])
  })

  /** The column of a member's name in the first listed key. */
  const column = (key: object, member: string) => 11 + JSON.stringify(key).indexOf(`"${member}":`)

  it.each([
    ["an elliptic key of Jenkins, which writes only RSA keys well", "jenkins", EC, "RSA"],
    ["an elliptic key of GitHub, which signs with RSA", "github-actions", EC, "RSA"],
    ["an Edwards key of a cluster", "kubernetes", ED, "RSA or EC"],
  ])("are refused at load: %s", (_, family, key, types) => {
    const owners = family === "github-actions" ? '    owners: { acme: "1" }\n' : ""
    const [one, ...others] = faultsOf({ "daypass.yaml": organisation(jwks(key) + owners, family) })
    expect(others).toEqual([])
    expect(one).toMatchObject({ code: "value_invalid", line: 8, column: 18 })
    expect(one?.message).toContain(`issuers of the family ${family} sign with ${types} keys: remove it.`)
  })

  it("are of the types that the family's algorithms are for", () => {
    const TYPES = { R: "RSA", P: "RSA", E: "EC" } as const
    for (const [name, { facts, algorithms }] of FAMILIES) {
      const types = algorithms.map((alg) => (alg === "EdDSA" ? "OKP" : TYPES[alg[0] as keyof typeof TYPES]))
      expect([...(facts.keyTypes ?? new Set(types))].sort(), name).toEqual([...new Set(types)].sort())
    }
  })

  it.each<[string, string, string[], RegExp]>([
    ["none", "    jwks: { keys: [] }\n", ["6:19 value_empty"], /keys is empty/],
    ["no list", "    jwks: {}\n", ["6:11 key_missing"], /"keys" is missing/],
    ["null", "    jwks:\n", ["6:10 value_null"], /leave the key out/],
    ["a list without its set", `    jwks: [${JSON.stringify(EC)}]\n`, ["6:11 type_wrong"], /must be a map/],
    ["a key that is a text", jwks("one"), ["8:11 type_wrong"], /must be a map/],
    ["a key without a kid", jwks({ ...EC, kid: undefined }), ["8:11 key_missing"], /"kid" is missing/],
    ["a key with an empty kid", jwks({ ...EC, kid: "" }), ["8:29 value_empty"], /kid is empty/],
    ["a kid that is a number", jwks({ ...EC, kid: 1 }), ["8:29 type_wrong"], /write it in quotes/],
    ["a symmetric key", jwks({ kty: "oct", kid: "one", k: "c2VjcmV0" }), ["8:18 value_invalid"], /"RSA", "EC", "OKP"/],
    ["a weak key", jwks(WEAK), [`8:${column(WEAK, "n")} value_invalid`], /key "one" must have an odd modulus of 2048/],
    [
      "an exponent of three",
      jwks({ ...WEAK, n: "_".repeat(342).slice(0, -1).concat("w"), e: "Aw" }),
      [`8:${column({ ...WEAK, n: "_".repeat(342), e: "Aw" }, "e")} value_invalid`],
      /must have an odd exponent from 65537/,
    ],
    [
      "a private key",
      jwks({ ...EC, d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI" }),
      [`8:${column({ ...EC, d: "" }, "d")} value_invalid`],
      /key "one" contains its private half \(d\): make a new key/,
    ],
    ["a key for encryption", jwks({ ...EC, use: "enc" }), ["8:149 value_invalid"], /use must be sig/],
    ["an alg that does not fit", jwks({ ...EC, alg: "RS256" }), ["8:149 value_invalid"], /it must be ES256/],
    [
      "a point beside its curve",
      jwks({ ...EC, y: EC.x }),
      ["8:49 value_invalid"],
      /must be a point of the curve P-256/,
    ],
    [
      "two keys with one kid",
      jwks(EC, { ...EC, x5t: "t" }),
      ["9:29 value_invalid"],
      /Two keys have the kid "one" \(the other is at line 8\)/,
    ],
    [
      "a list and a place",
      `${jwks(EC)}    jwks_url: https://keys.example.com/jwks\n`,
      ["9:5 key_unknown"],
      /either listed or fetched/,
    ],
    [
      "a place without TLS",
      "    jwks_url: http://keys.example.com/jwks\n",
      ["6:15 value_invalid"],
      /must be an https URL/,
    ],
    ["a place with a query", "    jwks_url: https://keys.example.com/?a=b\n", ["6:15 value_invalid"], /without user/],
    ["a place that is empty", '    jwks_url: ""\n', ["6:15 value_invalid"], /must be an https URL/],
    ["owners, which the cluster is", '    owners: { acme: "1" }\n', ["6:5 key_unknown"], /leave owners out/],
    ["more than a day of life", "    max_token_lifetime: 25h\n", ["6:25 value_invalid"], /must be at most 24h/],
    ["a mapping, which it does not need", "    claims: { ref: branch }\n", ["6:5 key_unknown"], /leave claims out/],
  ])("are refused at load: %s", (_, more, places, words) => {
    const faults = faultsOf({ "daypass.yaml": organisation(more) })
    expect(faults.map(shown)).toEqual(places.map((place) => `daypass.yaml:${place}`))
    expect(faults[0]?.message).toMatch(words)
    expect(faults[0]?.message).not.toContain("jpsQnnGQ")
  })

  it("survive the form that a build and a push write", () => {
    const set = setOf({}, organisation(jwks(EC)))
    const again = revived(JSON.parse(JSON.stringify(compiled(set))), TEST_PROVIDERS)
    expect(again.organisation.issuers).toEqual(set.organisation.issuers)
  })

  it("have a form for editors", () => {
    const schema = JSON.stringify(organisationJsonSchema(TEST_PROVIDERS))
    expect(schema).toContain('"jwks_url"')
    expect(schema).toContain('"enum":["RSA","EC","OKP"]')
  })
})

describe("a mapping of claims", () => {
  const mapping = (claims: string) => organisation(`    claims: ${claims}\n`, "jenkins", JENKINS_CASE.config.url)

  it("is read for a family whose administrators choose the names", () => {
    const set = setOf({}, mapping("{ environment: deploy_env, ref: branch, build_number: n }"))
    const claims = { environment: "deploy_env", ref: "branch", build_number: "n" }
    expect(set.organisation.issuers.get("cluster")?.claims).toEqual(claims)
    const again = revived(JSON.parse(JSON.stringify(compiled(set))), TEST_PROVIDERS)
    expect(again.organisation.issuers).toEqual(set.organisation.issuers)
  })

  it.each<[string, string, string, RegExp]>([
    ["an unknown role", "{ branch: b }", "6:15 key_unknown", /maps no claim "branch". Known: job, environment, ref/],
    ["a misspelled role", "{ enviroment: e }", "6:15 key_unknown", /Did you mean "environment"\?/],
    ["a registered claim", "{ ref: aud }", "6:20 value_invalid", /aud is about the token/],
    ["the audience", "{ environment: exp }", "6:28 value_invalid", /says nothing of the job/],
    ["nothing", "{}", "6:5 value_empty", /claims is empty/],
    ["an empty name", '{ ref: "" }', "6:20 value_invalid", /a claim's name is ASCII/],
    ["a list", "{ ref: [a, b] }", "6:20 type_wrong", /must be a text/],
  ])("is refused at load: %s", (_, claims, place, words) => {
    const faults = faultsOf({ "daypass.yaml": mapping(claims) })
    expect(faults.map(shown)).toEqual([`daypass.yaml:${place}`])
    expect(faults[0]?.message).toMatch(words)
  })
})

describe("a policy of a service account", () => {
  const uid = "9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35"
  const policy = (head = `service_account: payments/deployer\nservice_account_uid: ${uid}\n`) =>
    `version: 1\n${head}allow:\n  - { name: deploy, grants: [note] }\ngrants:\n  note: { connection: notes }\n`
  const config = { ...KUBERNETES_CASE.config, name: "cluster" }
  const job = (claims: Readonly<Record<string, unknown>> = {}) => {
    const read = identityIn({ ...KUBERNETES_CASE.samples[0]?.claims, ...claims } as never, config)
    if (!read.ok) throw new Error(read.fault)
    return read.value
  }
  const decidedOf = (identity: Identity) => decided(setOf({ "p.yaml": policy() }, organisation("")), identity)

  it("may stand without a condition: an account is one workload", () => {
    expect(decidedOf(job()).outcome).toBe("allow")
  })

  it("says of an account that was created again that its uid is new", () => {
    const again = { namespace: "payments", serviceaccount: { name: "deployer", uid: uid.replace("9f", "00") } }
    const decision = decidedOf(job({ "kubernetes.io": again }))
    expect(decision.outcome).toBe("deny")
    const text = JSON.stringify(decision)
    expect(text).toContain("No policy covers the service account payments/deployer with the service_account_uid")
    expect(text).toContain(
      "If the service account was deleted and created again, its service_account_uid is new: correct it in the policy that it had.",
    )
  })

  it.each<[string, string, string, RegExp]>([
    [
      "no uid",
      "service_account: payments/deployer\n",
      "1:1 key_missing",
      /kubectl get serviceaccount deployer --namespace payments/,
    ],
    ["no name", `service_account_uid: ${uid}\n`, "1:1 key_missing", /"service_account" is missing/],
    ["a pattern", `service_account: payments/*\n`, "2:18 value_invalid", /without stars/],
    [
      "a uid that is a name",
      `service_account: payments/deployer\nservice_account_uid: deployer\n`,
      "3:22 value_invalid",
      /a uid is a UUID/,
    ],
    [
      "a name without a namespace",
      `service_account: deployer\nservice_account_uid: ${uid}\n`,
      "2:18 value_invalid",
      /namespace\/name/,
    ],
    [
      "a repository",
      `repository: acme/shop\nrepository_id: "41"\n`,
      "2:1 key_unknown",
      /write service_account and service_account_uid instead of repository/,
    ],
  ])("is refused at load: %s", (_, head, place, words) => {
    const faults = faultsOf({ "daypass.yaml": organisation(""), "p.yaml": policy(head) })
    expect(faults.map(shown)[0]).toBe(`p.yaml:${place}`)
    expect(faults.map(({ message }) => message).join("\n")).toMatch(words)
  })
})

describe("a policy of a Jenkins job", () => {
  const url = "https://jenkins.example.com/job/my-job/"
  const files = (head: string, when = "{ ref: main }") => ({
    "daypass.yaml": organisation(
      "    claims: { environment: deploy_env, ref: branch }\n",
      "jenkins",
      JENKINS_CASE.config.url,
    ),
    "p.yaml": `version: 1\n${head}allow:\n  - { name: deploy, when: ${when}, grants: [note] }\ngrants:\n  note: { connection: notes }\n`,
  })

  it("names the job by its URL, and needs what tells its builds apart", () => {
    expect(faultsOf(files(`job: ${url}\n`))).toEqual([])
    expect(faultsOf(files(`job: ${url}\nenvironment: production\n`, '{ actor: "*" }'))).toEqual([])
    expect(faultsOf(files(`job: ${url}\n`, '{ build_number: "*" }')).map(shown)).toContain(
      "p.yaml:4:5 allow_unconstrained",
    )
    expect(faultsOf(files(`job: ${url}\n`, `{ job: "${url}" }`)).map(shown)).toContain("p.yaml:4:5 allow_unconstrained")
  })

  it.each<[string, string, RegExp]>([
    ["a name", "job: my-job\n", /a job is its URL with a slash at its end/],
    ["a URL without its slash", "job: https://jenkins.example.com/job/my-job\n", /with a slash at its end/],
    ["a pattern", 'job: "https://jenkins.example.com/job/*/"\n', /a job is its URL/],
    ["nothing", "", /The required key "job" is missing/],
  ])("is refused at load: %s", (_, head, words) => {
    expect(
      faultsOf(files(head))
        .map(({ message }) => message)
        .join("\n"),
    ).toMatch(words)
  })

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["the job on its branch", {}, "allow"],
    ["another branch", { branch: "feature" }, "deny"],
    ["another environment", { deploy_env: "staging" }, "deny"],
    ["another job", { sub: "https://jenkins.example.com/job/other/" }, "deny"],
  ])("decides about %s", (_, claims, kind) => {
    const head = `job: ${url}\nenvironment: production\n`
    const { "daypass.yaml": organisationFile, ...policies } = files(head)
    const set = setOf(policies, organisationFile)
    const issuer = set.organisation.issuers.get("cluster")
    if (!issuer) throw new Error("it is listed")
    const base = { ...JENKINS_CASE.samples[0]?.claims, sub: url, deploy_env: "production", branch: "main" }
    const identity = identityIn({ ...base, ...claims } as never, issuer)
    if (!identity.ok) throw new Error(identity.fault)
    expect(decided(set, identity.value).outcome).toBe(kind)
  })

  it("of a change request must say that it is for outsiders", () => {
    const head = `job: ${url}job/PR-7/\nenvironment: production\n`
    const kinds = ["{ ref: main }", '{ ref: main, outsider: "true" }'].map((when) => {
      const { "daypass.yaml": organisationFile, ...policies } = files(head, when)
      const set = setOf(policies, organisationFile)
      const issuer = set.organisation.issuers.get("cluster")
      if (!issuer) throw new Error("it is listed")
      const claims = {
        ...JENKINS_CASE.samples[0]?.claims,
        sub: `${url}job/PR-7/`,
        deploy_env: "production",
        branch: "main",
      }
      const identity = identityIn(claims as never, issuer)
      if (!identity.ok) throw new Error(identity.fault)
      return decided(set, identity.value).outcome
    })
    expect(kinds).toEqual(["deny", "allow"])
  })
})
