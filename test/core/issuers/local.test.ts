import { expect, test } from "vitest"
import { readPublicKey } from "../../../broker/core/public-key.ts"
import { local } from "../../../broker/issuers/local/family.ts"
import { createVerifier } from "../../../broker/issuers/verify.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { keyOf, token } from "./families/family-fixture.ts"
import { LOCAL_CASE } from "./families/local.ts"
import { AUDIENCE, type Json, listed, refusal, TestNetwork } from "./fixture.ts"

const { config, samples } = LOCAL_CASE
const claims: Json = { ...samples[0]?.claims, aud: AUDIENCE }

/** A broker that lists the issuer, with a network that publishes the key of its tokens wherever it is asked. */
function broker() {
  const network = new TestNetwork()
  const clock = new TestClock((Number(claims["iat"]) + 10) * 1000)
  return { network, ...createVerifier({ audience: AUDIENCE, cryptography, http: network.http, clock }) }
}

test.each([
  ["as a broker reads the organisation file", config],
  ["where somebody publishes keys for it", { ...config, keys: { by: "url" as const, url: `${config.url}/keys` } }],
])("no broker takes a token of a person's own machine, and none asks for its keys: %s", async (_, issuer) => {
  const { network, verify } = broker()
  const key = await keyOf("ES256")
  network.answer(`${config.url}/keys`, { body: { keys: [key.jwk] } })
  network.answer(`${config.url}/.well-known/openid-configuration`, {
    body: { issuer: config.url, jwks_uri: `${config.url}/keys` },
  })
  const refused = await refusal(verify(await token(key, { claims }), listed(issuer)))
  expect([refused.code, refused.detail]).toEqual([
    "token_signature_invalid",
    "The subject token is signed with a key that its issuer does not publish.",
  ])
  expect(network.requests).toEqual([])
})

test("the process that has the key takes the token", async () => {
  const key = await keyOf("ES256")
  const read = readPublicKey(key.jwk, local.facts.keySpelling)
  if (!read.ok) throw new Error(read.fault.fault)
  const issuer = { ...config, keys: { by: "list" as const, list: [read.value] } }
  const { identity } = await broker().verify(await token(key, { claims }), listed(issuer))
  expect(identity.unitId).toBe(samples[0]?.claims["sub"])
})
