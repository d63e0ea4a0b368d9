// What holds for the tokens of every issuer family: what GitHub's are tested for, on the samples of each.
import { base64url } from "jose"
import { describe, expect, test } from "vitest"
import { FAMILY_FACTS } from "../../../../broker/core/families/families.ts"
import { CLOCK_SKEW_SECONDS } from "../../../../broker/issuers/claims.ts"
import { FAMILIES } from "../../../../broker/issuers/families.ts"
import type { ErrorCode } from "../../../../broker/wire/error-codes.ts"
import { type Json, refusal, THUMBPRINT, utf8 } from "../fixture.ts"
import { CASES } from "./cases.ts"
import { fixtureOf, foreignKey, keyOf, token } from "./family-fixture.ts"

test("every family has a case", () => {
  expect(CASES.map(({ family }) => family.facts.name).sort()).toEqual([...FAMILIES.keys()].sort())
  expect([...FAMILIES.keys()].sort()).toEqual([...FAMILY_FACTS.keys()].sort())
})

type Row = readonly [name: string, overrides: Json, code: ErrorCode, words: string | RegExp]

const WRONG_TIMES = [0.5, "1795300000", null, true, -1, [1_795_300_000], 1_795_300_000_000]
const DEFAULT_LIFETIME = 3600

describe.each(CASES.map((kase) => [kase.family.facts.name, kase] as const))("a token of %s", (_, kase) => {
  const fixture = fixtureOf(kase)
  const { facts, algorithms } = kase.family
  const { audience, now } = fixture
  const cap = Math.min(kase.config.maxTokenLifetimeSeconds ?? DEFAULT_LIFETIME, facts.maxTokenLifetimeSeconds)
  const life = (seconds: number): Json => ({ iat: now, nbf: undefined, exp: now + seconds })

  describe("is taken", () => {
    test.each(kase.samples.map((sample) => [sample.name, sample] as const))("as %s", async (_, sample) => {
      const iat = Number(sample.claims["iat"])
      const shift = now - 10 - iat
      const times = Object.fromEntries(
        ["iat", "nbf", "exp"].flatMap((name) => {
          const at = sample.claims[name]
          return typeof at === "number" ? [[name, at + shift]] : []
        }),
      )
      const claims = fixture.claims(times, sample.claims)
      const { identity } = await fixture.verifyText(await token(await fixture.key(), { claims }))
      expect(identity).toMatchObject({
        issuer: kase.config.name,
        issuerUrl: kase.config.url,
        unitKind: facts.unit,
        ...sample.identity,
      })
      // What the family derives, it does not take from the token.
      const own = Object.entries(claims).filter(([name]) => !facts.claims.get(name)?.derived)
      expect({ ...identity.claims }).toMatchObject({ ...Object.fromEntries(own), ...sample.derived })
      expect(Object.getPrototypeOf(identity.claims)).toBeNull()
    })

    test.each<readonly [string, Json]>([
      ["at the last moment, skew included", { exp: now - CLOCK_SKEW_SECONDS + 1, iat: now - 300, nbf: now - 300 }],
      ["from a clock that is a minute fast", { iat: now + 60, nbf: now + 60, exp: now + 300 }],
      ["with the longest life", life(cap)],
      ["without nbf", { nbf: undefined }],
      ["with claims that the family does not know", { constructor: "x", toString: 1, nested: { a: [1, { b: null }] } }],
      ["for a list of one audience", { aud: [audience] }],
    ])("%s", async (_, overrides) => {
      expect((await fixture.verify(overrides)).boundTo).toBeNull()
    })

    // An audience that is the issuer's own names no key.
    test.each(
      facts.audience === "issuer"
        ? []
        : [
            ["a text", `${audience}?jkt=${THUMBPRINT}`],
            ["a list of one", [`${audience}?jkt=${THUMBPRINT}`]],
          ],
    )("bound to a key by %s", async (_, aud) => {
      expect((await fixture.verify({ aud })).boundTo).toBe(THUMBPRINT)
    })

    test("with the family's longest life only where the organisation file raises the default", async () => {
      const most = facts.maxTokenLifetimeSeconds
      const raised = { ...kase.config, maxTokenLifetimeSeconds: most }
      await expect(fixture.verify(life(most), raised)).resolves.toBeDefined()
      for (const config of [raised, { ...kase.config, maxTokenLifetimeSeconds: most * 2 }]) {
        expect((await refusal(fixture.verify(life(most + 1), config))).code).toBe("token_lifetime_too_long")
      }
      const { maxTokenLifetimeSeconds: _raised, ...unset } = kase.config
      const least = Math.min(most, DEFAULT_LIFETIME)
      await expect(fixture.verify(life(least), unset)).resolves.toBeDefined()
      const refused = await refusal(fixture.verify(life(least + 1), unset))
      expect(refused.detail).toContain(`at most ${least} s`)
    })

    test.each(algorithms)("when it is signed with %s", async (alg) => {
      const text = await token(await keyOf(alg), { claims: fixture.claims() })
      await expect(fixture.verifyText(text)).resolves.toBeDefined()
    })
  })

  describe("is refused", () => {
    const audiences: readonly Row[] = (
      [
        ["no audience", undefined],
        ["another audience", "https://other.example"],
        ["an empty audience", ""],
        ["the audience with a slash behind", `${audience}/`],
        ["the audience in other letters", swapCase(audience)],
        ["an audience that begins as ours", `${audience}.attacker.example`],
        ["ours twice", [audience, audience]],
        ["an empty list of audiences", []],
        ["a list in a list", [[audience]]],
        ["an audience that is true", true],
        ["an empty thumbprint", `${audience}?jkt=`],
        ["a short thumbprint", `${audience}?jkt=${THUMBPRINT.slice(1)}`],
        ["a thumbprint with something behind it", `${audience}?jkt=${THUMBPRINT}&x=1`],
        ["another parameter", `${audience}?key=${THUMBPRINT}`],
        ["a stranger before ours", ["https://other.example", audience]],
        ["a stranger behind ours", [audience, "https://other.example"]],
      ] as const
    ).map(([name, aud]) => [name, { aud }, "token_audience_mismatch", /audience/i])

    const times: readonly Row[] = [
      [
        "an end that is past, skew included",
        { exp: now - 60, iat: now - 360, nbf: now - 360 },
        "token_expired",
        "expired",
      ],
      ["a beginning in the future", { iat: now + 61, nbf: undefined, exp: now + 300 }, "token_not_yet_valid", "iat"],
      ["a not-before in the future", { nbf: now + 61 }, "token_not_yet_valid", "nbf"],
      ["a life longer than the longest", life(cap + 1), "token_lifetime_too_long", `${cap + 1} s`],
      ["an end at its beginning", life(0), "token_claims_invalid", "exp must be later than its iat"],
      ["no exp", { exp: undefined }, "token_claims_invalid", "exp is missing"],
      ["no iat", { iat: undefined }, "token_claims_invalid", "iat is missing"],
      ...["exp", "iat", "nbf"].flatMap((name) =>
        WRONG_TIMES.map(
          (value): Row => [
            `${JSON.stringify(value)} for ${name}`,
            { [name]: value },
            "token_claims_invalid",
            `${name} must be a time`,
          ],
        ),
      ),
    ]

    const badJtis: readonly Row[] = [
      ["an empty jti", { jti: "" }],
      ["a jti that is a number", { jti: 5 }],
      ["a jti that is null", { jti: null }],
      ["a jti of 257 characters", { jti: "j".repeat(257) }],
      ...(facts.jti === "always" ? [["no jti", { jti: undefined }] as const] : []),
    ].map(([name, claims]) => [name as string, claims as Json, "token_claims_invalid", "jti of 1 to 256"])

    test.each([...audiences, ...times, ...(facts.jti === "never" ? [] : badJtis)])(
      "with %s",
      async (_, overrides, code, words) => {
        const error = await refusal(fixture.verify(overrides))
        expect(error).toMatchObject({ code, status: 401 })
        expect(error.detail).toMatch(words)
      },
    )

    test.each(kase.refused.map(([name, claims, fault]) => [name, claims, fault] as const))(
      "with %s",
      async (_, claims, fault) => {
        const error = await refusal(fixture.verify(claims))
        expect(["token_claims_invalid", ...("aud" in claims ? ["token_audience_mismatch"] : [])]).toContain(error.code)
        expect(error.detail).toMatch(fault)
      },
    )

    const sent = [...facts.claims].filter(([, fact]) => !fact.derived && !fact.registered)

    test.each(sent.filter(([, fact]) => fact.sent === "always").map(([name]) => name))(
      "without %s, or with null for it",
      (name) => {
        // A family may add what mends it, such as the flag of a command.
        expect(String(fixture.identify({ [name]: undefined })).split(":")[0]).toBe(`the claim ${name} is missing`)
        expect(fixture.identify({ [name]: null })).toContain(`the claim ${name} must be`)
      },
    )

    test.each(sent.filter(([, { type }]) => type !== "any").map(([name, { type }]) => [name, type ?? "text"] as const))(
      "with a %s that is no %s",
      (name, type) => {
        for (const wrong of WRONG[type]) {
          expect([wrong, fixture.identify({ [name]: wrong })]).toEqual([
            wrong,
            expect.stringContaining(`the claim ${name} must be`),
          ])
        }
      },
    )

    const { roles } = facts
    const ofToken = (claim: string | undefined): readonly string[] =>
      claim === undefined || facts.claims.get(claim)?.derived ? [] : [claim]

    test.each([roles.unitId, roles.ownerId].flatMap(ofToken))("with a %s that is no id", (name) => {
      const id = String(kase.samples[0]?.claims[name])
      for (const wrong of ["", " ", "*", `${id}\n`, ` ${id}`, `${id} `, `${id}*`, `${id}\0`, "é", id.repeat(257)]) {
        expect([wrong, fixture.identify({ [name]: wrong })]).toEqual([wrong, expect.stringContaining(name)])
      }
    })

    test.each([roles.unit, roles.owner, roles.environment, roles.event, roles.actor].flatMap(ofToken))(
      "with an empty %s",
      (name) => {
        if ((facts.claims.get(name)?.type ?? "text") !== "text") return
        expect(fixture.identify({ [name]: "" })).toContain(name)
      },
    )

    test.each([roles.environment].flatMap(ofToken))("with a %s that could count as none", (name) => {
      for (const wrong of [null, [], {}, false]) expect(fixture.identify({ [name]: wrong })).toContain(name)
    })

    test("when its signature is another key's, with one answer whatever the token says", async () => {
      const stranger = await foreignKey((await fixture.key()).alg)
      const answers = await Promise.all(
        [{}, { exp: 1, iat: 0 }, { aud: "https://elsewhere.example" }, { [roles.unitId]: undefined }].map(
          async (more) => refusal(fixture.verifyText(await token(stranger, { claims: fixture.claims(more) }))),
        ),
      )
      for (const { code, detail } of answers) {
        expect([code, detail]).toEqual([
          "token_signature_invalid",
          "The subject token's signature does not match its issuer's key.",
        ])
      }
    })

    test("when it is signed with the public key as a shared secret", async () => {
      const { kid, jwk } = await fixture.key()
      const head = base64url.encode(JSON.stringify({ alg: "HS256", kid, typ: "JWT" }))
      const text = `${head}.${base64url.encode(JSON.stringify(fixture.claims()))}`
      const hmac = { name: "HMAC", hash: "SHA-256" }
      const secret = await crypto.subtle.importKey("raw", utf8(JSON.stringify(jwk)), hmac, false, ["sign"])
      const signature = new Uint8Array(await crypto.subtle.sign("HMAC", secret, utf8(text)))
      const refused = await refusal(fixture.verifyText(`${text}.${base64url.encode(signature)}`))
      expect(refused.code).toBe("token_signature_invalid")
    })

    const others = ["none", "HS256", "RS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256"].filter(
      (alg) => !algorithms.some((own) => own === alg),
    )

    test.each(others)("with the algorithm %s in its header, without any request", async (alg) => {
      const before = fixture.requests()
      const text = await token(await fixture.key(), { claims: fixture.claims(), header: { alg } })
      const { code, detail } = await refusal(fixture.verifyText(text))
      expect([code, detail]).toEqual([
        "token_signature_invalid",
        `The subject token must be signed with ${algorithms.join(" or ")}.`,
      ])
      expect(fixture.requests()).toBe(before)
    })

    test("when one character is another one", async () => {
      const good = await token(await fixture.key(), { claims: fixture.claims() })
      for (let step = 1; step <= 24; step += 1) {
        const at = Math.floor((good.length * step) / 25)
        const bad = good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1)
        expect(["token_malformed", "token_signature_invalid", "token_issuer_unknown"]).toContain(
          (await refusal(fixture.verifyText(bad))).code,
        )
      }
    })
  })

  describe("is known by", () => {
    const sha256 = async (text: string) =>
      base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))))

    test("its jti where the issuer sends one, else by what was signed", async () => {
      const withJti = await fixture.verify({ jti: "j".repeat(256) })
      const known = facts.jti === "never" ? withJti.digest : "j".repeat(256)
      expect(withJti.tokenKey).toBe(await sha256(`${kase.config.url}\0${known}`))
      if (facts.jti === "always") return
      const [one, two] = [await fixture.verify({ jti: undefined }), await fixture.verify({ jti: undefined, extra: 1 })]
      expect(one.tokenKey).toBe(await sha256(`${kase.config.url}\0${one.digest}`))
      expect(two.tokenKey).not.toBe(one.tokenKey)
    })
  })

  describe("says who the job is", () => {
    test.each(kase.samples.map((sample) => [sample.name, sample.claims] as const))(
      "and no claim that is left out makes it another one: %s",
      (_, sample) => {
        const whole = fixture.identify({}, sample)
        if (typeof whole === "string") throw new Error(whole)
        for (const name of Object.keys(sample)) {
          const less = fixture.identify({ [name]: undefined }, sample)
          if (typeof less === "string") continue
          for (const [member, value] of Object.entries(less)) {
            if (member === "claims" || member === "cautions") continue
            // What is left out is not known any more: it never becomes another value.
            const unknown = {
              unit: whole.unitId,
              owner: [whole.ownerId, new URL(whole.issuerUrl).host],
              runId: "",
              runAttempt: "",
            }
            const may = [Reflect.get(whole, member), null, unknown[member as keyof typeof unknown]].flat()
            expect([name, member, may]).toEqual([name, member, expect.arrayContaining([value])])
          }
          expect([name, less.unitId, less.ownerId]).toEqual([name, whole.unitId, whole.ownerId])
          // A caution is never lost with a claim: without it, the token is refused.
          for (const { fact } of whole.cautions) expect([name, less.claims[fact]]).toEqual([name, true])
        }
      },
    )

    test("and chooses none of the derived claims", () => {
      const derived = [...facts.claims].flatMap(([name, fact]) => (fact.derived ? [name] : []))
      expect(derived).toEqual(expect.arrayContaining(["outsider", "interactive"]))
      for (const { claims } of kase.samples) {
        const plain = fixture.identify({}, claims)
        for (const name of derived) {
          for (const value of ["evil", true, false, null, ["evil"]]) {
            expect(fixture.identify({ [name]: value }, claims)).toEqual(plain)
          }
        }
      }
    })

    const decides = Object.values(facts.roles).includes("sub") || kase.subject === "decides"
    test.skipIf(decides)("and its sub never decides: the identity is the same, or there is none", () => {
      for (const { claims } of kase.samples) {
        const plain = fixture.identify({}, claims)
        if (typeof plain === "string") throw new Error(plain)
        const own = String(claims["sub"])
        for (const sub of [
          "",
          "customised",
          own.toUpperCase(),
          `${own}x`,
          `x:${own}`,
          own.slice(0, -1),
          "repo:evil/repo",
        ]) {
          const identity = fixture.identify({ sub }, claims)
          if (typeof identity === "string") expect(identity).toContain("sub")
          else expect({ ...identity, claims: null }).toEqual({ ...plain, claims: null })
        }
      }
    })

    test("and no fault quotes what it says", () => {
      const canaries: readonly unknown[] = [
        "canary",
        "canary/canary",
        "https://canary.example",
        7,
        null,
        [],
        ["canary"],
        { canary: 1 },
        true,
      ]
      for (const name of facts.claims.keys()) {
        for (const value of canaries) {
          const identity = fixture.identify({ [name]: value })
          if (typeof identity === "string") expect(identity).not.toContain("canary")
        }
      }
    })
  })
})

test("a claim that a family derives only sometimes does not come from the token at other times", () => {
  const [kase] = CASES
  if (kase === undefined) throw new Error("there is no case")
  const claims = new Map([
    ...kase.family.facts.claims,
    ["scope", { summary: "", sent: "by-some-jobs", tells: "job", derived: true }],
  ] as const)
  const family = { ...kase.family, facts: { ...kase.family.facts, claims } }
  const identity = fixtureOf({ ...kase, family }).identify({ scope: "write" })
  if (typeof identity === "string") throw new Error(identity)
  expect(Object.keys(identity.claims)).not.toContain("scope")
})

const WRONG = {
  text: [456_789, true, ["x"], { x: "x" }],
  number: ["1", true, [1], {}],
  boolean: ["true", "false", 0, 1, [true]],
  texts: ["x", 1, true, [1], [null], [["x"]], {}],
  object: ["x", 1, true, []],
  any: [],
} as const

/** The same text in other letters. */
function swapCase(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase()
}
