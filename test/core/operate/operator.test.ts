import { describe, expect, it, test } from "vitest"
import type { BrokerError } from "../../../broker/core/errors.ts"
import type { Claims } from "../../../broker/core/identity.ts"
import { OPERATOR_RIGHTS, type OperatorRight } from "../../../broker/core/operator-rights.ts"
import { covers } from "../../../broker/core/operator-scope.ts"
import type { IssuerConfig } from "../../../broker/core/policy/model.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { createOperators, useForAct } from "../../../broker/operate/operator.ts"
import type { StoredKey } from "../../../broker/ports/key-ring.ts"
import type { Ledgers } from "../../../broker/ports/ledger.ts"
import type { TokenUse } from "../../../broker/ports/token-use.ts"
import { identityTokenClaims } from "../../../broker/signing/identity-token.ts"
import { operatorTokenClaims } from "../../../broker/signing/operator-token.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { createSigner } from "../../../broker/signing/signer.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { makeProofMaker, proofClaims } from "../../support/proofs.ts"
import { job } from "../job.ts"

const URL = "https://daypass.example.com"
const STARTED = Date.parse("2026-11-22T12:00:00.000Z")
const PATH = "/v1/operate/policies"
const holder = await makeProofMaker()
const thief = await makeProofMaker()
const sealer = await createSealer(new Secret(new Uint8Array(32)), "test", cryptography)

/** A broker with a real key, and operators that it verifies. */
function world() {
  const clock = new TestClock(STARTED)
  let keys: readonly StoredKey[] = []
  const keyRing = {
    read: async () => ({ version: 0, keys }),
    replace: async (_: number, next: readonly StoredKey[]) => {
      keys = next
      return true
    },
  }
  const signer = createSigner({ keyRing, sealer, cryptography, clock })
  const other = (remembered?: number) => createOperators({ url: URL, signer, cryptography, clock }, remembered)
  const operators = other()
  const claimsOf = (may: readonly OperatorRight[], more: { holder?: string | null; ttlSeconds?: number } = {}) =>
    operatorTokenClaims({
      issuer: URL,
      identity: job(),
      grant: "operator",
      may,
      scope: { owners: ["github:9001"] },
      lease: "lease-1",
      holder: holder.thumbprint,
      now: clock.now(),
      ttlSeconds: 900,
      ...more,
    })
  const sign = async (claims: Claims) => (await signer.sign(claims)).reveal()
  const prove = async (token: string, by = holder, path = PATH, jti = crypto.randomUUID()) => {
    const call = { method: "GET", url: `${URL}${path}`, token }
    const text = await by.prove({ ...(await proofClaims(call, clock.now().getTime() / 1000)), jti })
    return { token, proof: { text, method: "GET", path: PATH } }
  }
  return { clock, operators, other, claimsOf, sign, prove }
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "allowed",
    (error: BrokerError) => error.code,
  )

describe("an operator token", () => {
  test("gives its rights and its scope to the holder of its key, and to nobody without it", async () => {
    const { operators, claimsOf, sign, prove } = world()
    const token = await sign(claimsOf(["audit.read", "stop"]))
    const operator = await operators.authorise(await prove(token), "stop")
    expect([...operator.may]).toEqual(["audit.read", "stop"])
    expect(operator).toMatchObject({
      scope: { owners: ["github:9001"] },
      grant: "operator",
      lease: "lease-1",
      identity: { unit_id: "41" },
    })
    expect(await codeOf(operators.authorise({ token }, "stop"))).toBe("proof_invalid")
    expect(await codeOf(operators.authorise(await prove(token, thief), "stop"))).toBe("proof_invalid")
    expect(await codeOf(operators.authorise(await prove(token, holder, "/v1/operate/stops"), "stop"))).toBe(
      "proof_invalid",
    )
  })

  test("needs a new proof for each call", async () => {
    const { operators, claimsOf, sign, prove } = world()
    const call = await prove(await sign(claimsOf(["stop"])))
    expect(await codeOf(operators.authorise(call, "stop"))).toBe("allowed")
    expect(await codeOf(operators.authorise(call, "stop"))).toBe("proof_invalid")
  })

  test("is not refused because another operator makes very many calls", async () => {
    const { other, claimsOf, sign, prove } = world()
    const operators = other(3)
    const [loud, quiet] = [await sign(claimsOf(["audit.read"])), await sign({ ...claimsOf(["stop"]), jti: "lease-2" })]
    for (let call = 0; call < 5; call++) await operators.authorise(await prove(loud), "audit.read")
    const call = await prove(quiet)
    expect(await codeOf(operators.authorise(call, "stop"))).toBe("allowed")
    expect(await codeOf(operators.authorise(call, "stop"))).toBe("proof_invalid")
  })

  test("gives a use of its proof to the ledger of its unit, which accepts it once for all instances", async () => {
    const { clock, operators, claimsOf, sign, prove, other } = world()
    const used = new Set<string>()
    const of = (issuer: string, unitId: string) => ({
      async useProof({ key, proof }: TokenUse) {
        const use = JSON.stringify([issuer, unitId, key, proof])
        return used.size < used.add(use).size
      },
    })
    const broker = { clock, ledgers: { of } as unknown as Ledgers }
    const call = await prove(await sign(claimsOf(["stop"])))
    // Two instances: neither has seen what the other has.
    const [here, there] = [await operators.authorise(call, "stop"), await other().authorise(call, "stop")]
    expect(await codeOf(useForAct(here, broker))).toBe("allowed")
    expect(await codeOf(useForAct(there, broker))).toBe("proof_invalid")
    const plain = await operators.authorise(
      { token: await sign(claimsOf(["metrics.read"], { holder: null })) },
      "metrics.read",
    )
    expect(await codeOf(useForAct(plain, broker))).toBe("proof_invalid")
  })

  test("has no right that its grant does not name", async () => {
    const { operators, claimsOf, sign, prove } = world()
    for (const granted of OPERATOR_RIGHTS) {
      const token = await sign(claimsOf([granted, "audit.read"]))
      for (const asked of OPERATOR_RIGHTS) {
        const expected = asked === granted || asked === "audit.read" ? "allowed" : "not_allowed"
        expect([granted, asked, await codeOf(operators.authorise(await prove(token), asked))]).toEqual([
          granted,
          asked,
          expected,
        ])
      }
    }
  })

  test("that is plain reads metrics only, and one for more is not made without a key", async () => {
    const { operators, claimsOf, sign } = world()
    const plain = claimsOf(["metrics.read"], { holder: null })
    expect(plain["cnf"]).toBeUndefined()
    expect(await codeOf(operators.authorise({ token: await sign(plain) }, "metrics.read"))).toBe("allowed")
    expect(() => claimsOf(["metrics.read", "stop"], { holder: null })).toThrow(/bound_token_required/)
    const { cnf: _, ...unbound } = claimsOf(["stop"])
    expect(await codeOf(operators.authorise({ token: await sign(unbound) }, "stop"))).toBe("bound_token_required")
  })

  test("ends with its time, and lives no longer than fifteen minutes", async () => {
    const { clock, operators, claimsOf, sign, prove } = world()
    const token = await sign(claimsOf(["stop"], { ttlSeconds: 7200 }))
    clock.advance(899)
    expect(await codeOf(operators.authorise(await prove(token), "stop"))).toBe("allowed")
    clock.advance(1)
    expect(await codeOf(operators.authorise(await prove(token), "stop"))).toBe("token_expired")
    const long = await sign({ ...claimsOf(["stop"]), exp: clock.now().getTime() / 1000 + 901 })
    expect(await codeOf(operators.authorise(await prove(long), "stop"))).toBe("token_lifetime_too_long")
  })

  it("is none of the broker's other tokens, of other brokers, or of other keys", async () => {
    const { clock, operators, claimsOf, sign, prove } = world()
    const about = { issuer: URL, identity: job(), grant: "vault", extra: { may: ["stop"], scope: {} } }
    const other = { audience: "https://vault.example.com", now: clock.now(), ttlSeconds: 300, id: "1" }
    const identityToken = await sign(identityTokenClaims({ ...about, ...other }))
    expect(await codeOf(operators.authorise(await prove(identityToken), "stop"))).toBe("token_audience_mismatch")
    const foreign = await sign({ ...claimsOf(["stop"]), iss: "https://other.example.com" })
    expect(await codeOf(operators.authorise(await prove(foreign), "stop"))).toBe("token_issuer_unknown")
    const otherWorld = world()
    const unknown = await otherWorld.sign(claimsOf(["stop"]))
    expect(await codeOf(operators.authorise(await prove(unknown), "stop"))).toBe("token_signature_invalid")
    const [head = "", payload = "", signature = ""] = (await sign(claimsOf(["audit.read"]))).split(".")
    const widened = payload.replace(/./, (first) => (first === "A" ? "B" : "A"))
    expect(await codeOf(operators.authorise({ token: `${head}.${widened}.${signature}` }, "stop"))).not.toBe("allowed")
    expect(await codeOf(operators.authorise({ token: "no token" }, "stop"))).toBe("token_malformed")
  })
})

describe("an operator's scope", () => {
  const github = { name: "github", url: "https://github.example" } as IssuerConfig
  const issuers = new Map([["github", github]])
  const target = { issuerUrl: github.url, ownerId: "9001", unitId: "41" }

  test.each([
    ["nothing left out", {}, true],
    ["the owner", { owners: ["github:9001"] }, true],
    ["another owner", { owners: ["github:9002"] }, false],
    ["the unit", { units: ["github:41"] }, true],
    ["the owner or a unit", { owners: ["github:9001"], units: ["github:42"] }, true],
    ["the same id at another issuer", { units: ["gitlab:41"] }, false],
    ["a connection, for a unit as a whole", { connections: ["aws"] }, false],
  ])("of %s", (_, scope, expected) => {
    expect(covers(scope, target, issuers)).toBe(expected)
  })

  test("of connections covers what went through them alone", () => {
    const scope = { connections: ["aws", "vault"] }
    expect(covers(scope, { ...target, connections: ["aws"] }, issuers)).toBe(true)
    expect(covers(scope, { ...target, connections: ["aws", "github"] }, issuers)).toBe(false)
    expect(covers(scope, { ...target, connections: [] }, issuers)).toBe(false)
    expect(covers({ ...scope, owners: ["github:1"] }, { ...target, connections: ["aws"] }, issuers)).toBe(false)
  })
})
