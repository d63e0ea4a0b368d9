import { describe, expect, it } from "vitest"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { PolicyFault } from "../../../broker/core/policy/model.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { SHOP } from "../../../broker/providers/sops/recorded.ts"
import { LOCAL_CASE } from "../issuers/families/local.ts"
import { OPENID_CASE } from "../issuers/families/openid.ts"
import { shown } from "./support.ts"

const PERSON = String(LOCAL_CASE.samples[0]?.claims["sub"])
const JWK = '{ kty: EC, kid: a, crv: P-256, x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "x" }'

const organisation = (issuer = "{ family: local }", more = "") => `version: 1
issuers:
  laptop: ${issuer}
${more}connections:
  dev: { provider: sops, key: "env:DEV_KEY", people: true }
  closed: { provider: sops, key: "env:DEV_KEY" }
  tokens: { provider: identity-token, audiences: [https://a.example], people: true }
`
const policy = (
  head: string,
  rule: string,
  grant = '{ connection: dev, read: { K: "s.sops.yaml#database/password" } }',
) =>
  `version: 1
issuer: laptop
${head}
allow:
  - { name: the rule, ${rule}grants: [dev] }
grants:
  dev: ${grant}
`

const load = (policies: Readonly<Record<string, string>>, organisationFile = organisation()) =>
  loadPolicySet(
    Object.entries({ "daypass.yaml": organisationFile, "s.sops.yaml": SHOP, ...policies }).map(([path, text]) => ({
      path,
      bytes: new TextEncoder().encode(text),
    })),
    PROVIDERS,
  )
const faults = (...files: Parameters<typeof load>): readonly PolicyFault[] => {
  const loaded = load(...files)
  return loaded.ok ? [] : loaded.fault
}
const ONE = policy(`person_id: ${PERSON}`, "")
const EVERYBODY = policy("people: true", `when: { sub: [${PERSON}] }, `)

describe("an issuer of the family local", () => {
  it("needs nothing but its family", () => {
    const loaded = load({ "p.yaml": ONE })
    expect(loaded.ok && loaded.value.organisation.issuers.get("laptop")).toEqual(LOCAL_CASE.config)
  })

  it.each([
    ["a URL", 'url: "https://sso.example.com"', "url"],
    [
      "keys",
      `jwks: { keys: [${JWK.replace(', y: "x"', ', y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"')}] }`,
      "jwks",
    ],
    ["a place of keys", 'jwks_url: "https://sso.example.com/keys"', "jwks_url"],
    ["a lifetime", "max_token_lifetime: 1m", "max_token_lifetime"],
    ["an audience", "audience: daypass", "audience"],
    ["owners", 'owners: { acme: "1" }', "owners"],
    ["claims", "claims: { ref: x }", "claims"],
    ["further audiences", "other_audiences: [x]", "other_audiences"],
  ])("takes no %s", (_, key, name) => {
    const found = faults({ "p.yaml": ONE }, organisation(`{ family: local, ${key} }`))
    expect(found.map(({ file, line, code }) => [file, line, code])).toEqual([["daypass.yaml", 3, "key_unknown"]])
    expect(found[0]?.message).toContain(name)
  })

  it("stands once in a file", () => {
    const found = faults({ "p.yaml": ONE }, organisation("{ family: local }", "  other: { family: local }\n"))
    expect(found.map(shown)).toEqual(["daypass.yaml:4:10 value_invalid"])
    expect(found[0]?.message).toContain("keep one")
  })

  it("is the only one without a URL", () => {
    const found = faults({ "p.yaml": ONE }, organisation("{ family: openid, audience: x }"))
    expect(found.map(shown)).toContain("daypass.yaml:3:11 key_missing")
    expect(found[0]?.message).toContain('"url" is missing')
  })
})

describe("a policy for a person's own machine", () => {
  it("names keys", () => {
    expect([faults({ "p.yaml": ONE }), faults({ "p.yaml": EVERYBODY })]).toEqual([[], []])
  })

  it.each<[string, string, string]>([
    ["of an account of the system", policy("person_id: root", ""), "age1 and 58 more"],
    ["of the private half of a key", policy(`person_id: AGE-SECRET-KEY-1${"Q".repeat(58)}`, ""), "public half"],
    ["of everybody", policy("people: true", ""), "all people of the issuer"],
    ["of everybody, by what is alike for all", policy("people: true", 'when: { sub: "age1*" }, '), "all people"],
    ["about a job", policy('repository: a/b\nrepository_id: "1"', "when: { ref: x }, "), "write person"],
    ["about an environment", policy(`person_id: ${PERSON}\nenvironment: dev`, ""), "environment"],
    [
      "with a connection that is closed to people",
      policy(`person_id: ${PERSON}`, "", '{ connection: closed, read: { K: "s.sops.yaml#database/password" } }'),
      "closed is closed to people",
    ],
    [
      "with a provider that needs a broker",
      policy(`person_id: ${PERSON}`, "", "{ connection: tokens, audience: https://a.example }"),
      "is of the provider identity-token, which needs a broker",
    ],
  ])("is refused when it is one %s", (_, text, words) => {
    const found = faults({ "p.yaml": text })
    expect(found.map(({ message }) => message).join("\n")).toContain(words)
  })

  it("serves no person who signed in, and no other policy serves this one", () => {
    const staff = '  staff: { family: openid, url: "https://sso.example.com/realms/acme", audience: daypass-cli }\n'
    const ofStaff = (head: string, rule: string) => policy(head, rule).replace("issuer: laptop", "issuer: staff")
    const loaded = load(
      {
        "laptop.yaml": EVERYBODY,
        "staff.yaml": ofStaff("people: true", "when: { groups: engineering }, "),
        "one.yaml": ofStaff(`person_id: ${PERSON}`, "").replaceAll("dev]", "mine]").replace("\n  dev:", "\n  mine:"),
      },
      organisation("{ family: local }", staff),
    )
    if (!loaded.ok) throw new Error(loaded.fault.map(({ message }) => message).join("\n"))
    const filesFor = (claims: unknown, config: typeof LOCAL_CASE.config) => {
      const identity = identityIn(claims as never, config)
      if (!identity.ok) throw new Error(identity.fault)
      const policies = loaded.value.policiesOf(identity.value)
      const { outcome } = decide({
        organisation: loaded.value.organisation,
        policies,
        identity: identity.value,
        grants: ["dev"],
      })
      return [outcome, ...policies.map(({ file }) => file)]
    }
    const local = { ...LOCAL_CASE.samples[0]?.claims, groups: ["engineering"] }
    expect(filesFor(local, LOCAL_CASE.config)).toEqual(["allow", "laptop.yaml"])
    const person = { ...OPENID_CASE.samples[0]?.claims, sub: PERSON, groups: [] }
    expect(filesFor(person, OPENID_CASE.config).sort()).toEqual(["deny", "one.yaml", "staff.yaml"])
  })
})
