import { exportJWK, generateKeyPair } from "jose"
import { beforeAll, describe, expect, test } from "vitest"
import type { BrokerError } from "../../../broker/core/errors.ts"
import { type ProvedCall, verifyProof } from "../../../broker/issuers/dpop.ts"
import { cryptography } from "../../support/cryptography.ts"
import { makeProofMaker, type ProofMaker, proofClaims } from "../../support/proofs.ts"

const SECONDS = 1_795_300_300
const CALL: ProvedCall = {
  method: "POST",
  url: "https://daypass.example.com/v1/exchange",
  token: "aaa.bbb.ccc",
  now: new Date(SECONDS * 1000),
}

/** RFC 9449, figures 12 and 13, and the thumbprint of figure 9. */
const OF_THE_RFC = {
  proof: [
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19",
    "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9",
    "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
  ].join("."),
  call: {
    method: "GET",
    url: "https://resource.example.org/protectedresource",
    token: "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU",
    now: new Date(1_562_262_618_000),
  },
  thumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
}

let [mine, other]: ProofMaker[] = []
const maker = (which: ProofMaker | undefined): ProofMaker => {
  if (!which) throw new Error("keys are there only inside of a test")
  return which
}
beforeAll(async () => {
  ;[mine, other] = await Promise.all([makeProofMaker(), makeProofMaker()])
})

type Members = Readonly<Record<string, unknown>>
const prove = async (claims: Members = {}, header: Members = {}) =>
  maker(mine).prove({ ...(await proofClaims(CALL, SECONDS)), ...claims }, header)
const faultOf = async (proof: string, call = CALL): Promise<string> => {
  const refused = await verifyProof(proof, call, cryptography).then(
    () => null,
    (error: BrokerError) => error,
  )
  expect(refused, "the proof was accepted").toMatchObject({ code: "proof_invalid", status: 401 })
  for (const part of proof.split(".").filter((text) => text.length > 8)) expect(refused?.detail).not.toContain(part)
  return refused?.detail ?? ""
}

describe("a good proof", () => {
  test("tells the thumbprint of its key, and the digest of its jti", async () => {
    const verified = await verifyProof(await prove({ jti: "one" }), CALL, cryptography)
    expect(verified).toEqual({
      thumbprint: maker(mine).thumbprint,
      id: "dpLDrTVAu4A8Ags67mbNiIcSMjTqDG5xQ8Ct1z_0Me0",
    })
  })

  test("is the one that RFC 9449 shows", async () => {
    const { proof, call, thumbprint } = OF_THE_RFC
    expect(await verifyProof(proof, call, cryptography)).toMatchObject({ thumbprint })
    expect(await faultOf(proof, { ...call, token: `${call.token}x` })).toContain("as ath")
    expect(await faultOf(proof, CALL)).toContain("as htm")
  })

  test.each([
    ["60 s ago", { iat: SECONDS - 60 }],
    ["60 s ahead of the broker's clock", { iat: SECONDS + 60 }],
    ["with claims that mean nothing here", { nonce: "n", exp: 1, more: [{}] }],
    ["with a jti of 256 characters", { jti: "j".repeat(256) }],
    ["for the URL with a query and a fragment", { htu: `${CALL.url}?x=1#y` }],
    ["for the URL in another spelling", { htu: "HTTPS://Daypass.Example.com:443/v1/x/../exchange" }],
  ])("may be made %s", async (_, claims) => {
    await expect(verifyProof(await prove(claims), CALL, cryptography)).resolves.toBeDefined()
  })
})

describe("by RFC 9449 section 4.3, refused is a proof", () => {
  test("that is not the only one", async () => {
    expect(await faultOf(`${await prove()}, ${await prove()}`)).toContain("exactly one DPoP header")
  })

  test.each([
    ["that is empty", "", "three parts"],
    ["that is no JWT", "proof", "three parts"],
    ["of two parts", "e30.e30", "three parts"],
    ["of five parts", "e30.e30.e30.e30.e30", "three parts"],
    ["that is not signed", "e30.e30.", "strict base64url"],
    ["in base64 with padding", "e30=.e30=.AA==", "strict base64url"],
    ["that is too long", `${"e".repeat(4096)}.e30.AA`, "longer than 4 KiB"],
  ])("%s", async (_, proof, fault) => {
    expect(await faultOf(proof)).toContain(fault)
  })

  test.each([
    ["with stray bits in its signature", (proof: string) => `${proof.slice(0, -1)}${lastBitsOf(proof)}`],
    ["with a space around it", (proof: string) => ` ${proof}`],
  ])("%s", async (_, change) => {
    expect(await faultOf(change(await prove()))).toContain("strict base64url")
  })

  test.each([
    ["jti", "jti of 1 to 256"],
    ["htm", "as htm"],
    ["htu", "as htu"],
    ["iat", "as iat"],
    ["ath", "as ath"],
  ])("without the claim %s", async (claim, fault) => {
    expect(await faultOf(await prove({ [claim]: undefined }))).toContain(fault)
    expect(await faultOf(await prove({ [claim]: null }))).toContain(fault)
  })

  test.each([
    ["JWT", "typ dpop+jwt"],
    ["DPOP+JWT", "typ dpop+jwt"],
    ["application/dpop+jwt", "typ dpop+jwt"],
    [undefined, "typ dpop+jwt"],
  ])("of the typ %s", async (typ, fault) => {
    expect(await faultOf(await prove({}, { typ }))).toContain(fault)
  })

  test.each(["none", "HS256", "RS256", "PS256", "ES384", "EdDSA", "es256", "", null, undefined])(
    "of the alg %s",
    async (alg) => {
      expect(await faultOf(await prove({}, { alg }))).toContain("signed with ES256")
    },
  )

  test("whose key is an octet sequence, which signs for everybody", async () => {
    const jwk = { kty: "oct", k: "AAAA" }
    expect(await faultOf(await prove({}, { alg: "HS256", jwk }))).toContain("signed with ES256")
    expect(await faultOf(await prove({}, { jwk }))).toContain("other than kty, crv, x and y")
  })

  test.each([
    ["kid", { kid: "k1" }],
    ["jku", { jku: "https://attacker.example/keys" }],
    ["x5c", { x5c: ["MIIB"] }],
    ["crit", { crit: ["b64"], b64: false }],
    ["zip", { zip: "DEF" }],
  ])("whose header has %s", async (_, header) => {
    expect(await faultOf(await prove({}, header))).toContain("other than typ, alg and jwk")
  })

  test("that another key signed", async () => {
    expect(await faultOf(await prove({}, { jwk: maker(other).jwk }))).toContain("private key of its jwk")
  })

  test("that was changed after it was signed, in any part", async () => {
    const [header = "", payload = "", signature = ""] = (await prove()).split(".")
    const [, foreign = "", foreignSignature = ""] = (await prove()).split(".")
    for (const parts of [
      [header, foreign, signature],
      [header, payload, foreignSignature],
    ])
      expect(await faultOf(parts.join("."))).toContain("private key of its jwk")
    const der = [header, payload, "MEUCIQDx".padEnd(96, "A")].join(".")
    expect(await faultOf(der)).toContain("private key of its jwk")
  })

  test("with its private key in its header", async () => {
    expect(await faultOf(await prove({}, { jwk: maker(mine).privateJwk }))).toContain("private key in its header")
  })

  test.each([
    ["no key", undefined, "the public key as jwk"],
    ["a text for a key", "key", "the public key as jwk"],
    ["a list of keys", [{}], "the public key as jwk"],
    ["null for a key", null, "the public key as jwk"],
    ["a key with a use", { use: "sig" }, "other than kty, crv, x and y"],
    ["a key with a kid", { kid: "k1" }, "other than kty, crv, x and y"],
    ["a key of another kind", { kty: "OKP" }, "key on P-256"],
    ["a key on another curve", { crv: "P-384" }, "key on P-256"],
    ["a coordinate that is short", { x: "AAAA" }, "key on P-256"],
    ["a coordinate above the prime", { y: `${"_".repeat(42)}8` }, "key on P-256"],
    ["a coordinate that is no text", { x: 1 }, "key on P-256"],
    ["a key without y", { y: undefined }, "key on P-256"],
    ["a point off the curve", { x: "A".repeat(43), y: "A".repeat(43) }, "point on the curve"],
  ])("with %s", async (_, change, fault) => {
    const isChange = typeof change === "object" && change !== null && !Array.isArray(change)
    const jwk = isChange ? { ...maker(mine).jwk, ...change } : change
    expect(await faultOf(await prove({}, { jwk }))).toContain(fault)
  })

  test("with a key of RSA or Ed25519", async () => {
    const { publicKey } = await generateKeyPair("EdDSA", { extractable: true })
    expect(await faultOf(await prove({}, { jwk: await exportJWK(publicKey) }))).toContain("key on P-256")
    const rsa = { kty: "RSA", n: "AQAB", e: "AQAB" }
    expect(await faultOf(await prove({}, { jwk: rsa }))).toContain("other than kty, crv, x and y")
  })

  test.each([
    ["method", { htm: "DELETE" }, "as htm"],
    ["method in small letters", { htm: "post" }, "as htm"],
    ["method, of several", { htm: ["POST"] }, "as htm"],
    ["path", { htu: "https://daypass.example.com/v1/explain" }, "as htu"],
    ["path with a slash behind", { htu: `${CALL.url}/` }, "as htu"],
    ["path in capitals", { htu: "https://daypass.example.com/V1/exchange" }, "as htu"],
    ["host", { htu: "https://daypass.example.com.evil.example/v1/exchange" }, "as htu"],
    ["port", { htu: "https://daypass.example.com:8443/v1/exchange" }, "as htu"],
    ["scheme", { htu: "http://daypass.example.com/v1/exchange" }, "as htu"],
    ["scheme without an origin", { htu: "data:text/plain,x" }, "as htu"],
    ["user", { htu: "https://me@daypass.example.com/v1/exchange" }, "as htu"],
    ["form than a whole URL", { htu: "/v1/exchange" }, "as htu"],
    ["type than a URL", { htu: [CALL.url] }, "as htu"],
  ])("for another %s", async (_, claims, fault) => {
    expect(await faultOf(await prove(claims))).toContain(fault)
  })

  test.each([
    ["61 s ago", SECONDS - 61, "61 s before the broker's time, and at most 60 s"],
    ["61 s ahead", SECONDS + 61, "61 s after the broker's time"],
    ["in milliseconds", SECONDS * 1000, "after the broker's time"],
    ["in the year 1970", 0, "before the broker's time"],
    ["as a text", String(SECONDS), "whole seconds"],
    ["as a fraction", SECONDS + 0.5, "whole seconds"],
  ])("made %s", async (_, iat, fault) => {
    expect(await faultOf(await prove({ iat }))).toContain(fault)
  })

  test.each([
    ["empty", ""],
    ["of 257 characters", "j".repeat(257)],
    ["that is a number", 7],
    ["that is a list", ["j"]],
  ])("with a jti %s", async (_, jti) => {
    expect(await faultOf(await prove({ jti }))).toContain("jti of 1 to 256 characters")
  })

  test("of another token", async () => {
    expect(await faultOf(await prove(), { ...CALL, token: "aaa.bbb.ccd" })).toContain("as ath")
    expect(await faultOf(await prove({ ath: CALL.token }))).toContain("as ath")
  })

  test("with the same member twice, of which two readers see different ones", async () => {
    const claims = JSON.stringify(await proofClaims(CALL, SECONDS))
    const payload = `{"htm":"DELETE",${claims.slice(1)}`
    expect(await faultOf(await maker(mine).prove({}, {}, { payload }))).toContain("same key twice")
    const key = JSON.stringify(maker(mine).jwk)
    const header = `{"typ":"dpop+jwt","alg":"none","alg":"ES256","jwk":${key}}`
    expect(await faultOf(await maker(mine).prove({}, {}, { header }))).toContain("same key twice")
  })

  test.each(["[]", "null", "7", '"text"', "{", ""])("whose payload is %j", async (payload) => {
    expect(await faultOf(await maker(mine).prove({}, {}, { payload }))).toMatch(/payload|strict base64url/)
  })

  test("whose members hide in __proto__", async () => {
    const claims = await proofClaims(CALL, SECONDS)
    const payload = JSON.stringify(claims).replace(/"htm":"POST",/, '"__proto__":{"htm":"POST"},')
    expect(await faultOf(await maker(mine).prove({}, {}, { payload }))).toContain("as htm")
  })
})

/** Another last character of a signature that a lenient decoder reads as the same bytes: 64 bytes leave four bits unused. */
function lastBitsOf(proof: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  return alphabet[alphabet.indexOf(proof.at(-1) ?? "") + 1] ?? ""
}
