import { beforeAll, beforeEach } from "vitest"
import type { IssuerConfig } from "../../../broker/core/policy/model.ts"
import { FAMILIES } from "../../../broker/issuers/families.ts"
import type { IssuerFamily } from "../../../broker/issuers/family.ts"
import { createVerifier, type VerifiedToken } from "../../../broker/issuers/verify.ts"
import { cryptography } from "../../support/cryptography.ts"
import {
  AUDIENCE,
  claims,
  issuer,
  type Json,
  listed,
  makeKey,
  publicJwk,
  type TestKey,
  TestNetwork,
  testClock,
  token,
} from "./fixture.ts"

export interface VerifierFixture {
  /** The issuer's key, which it publishes, and one of somebody else's with the same `kid`. */
  readonly key: TestKey
  readonly foreignKey: TestKey
  readonly network: TestNetwork
  verify(text: string, ...issuers: IssuerConfig[]): Promise<VerifiedToken>
  /** Verifies the sample token with other claims and a good signature. */
  verifyClaims(overrides: Json, config?: IssuerConfig): Promise<VerifiedToken>
  /** The same, where another audience counts as the broker's. */
  verifyAlsoFor(audience: string, overrides: Json, config?: IssuerConfig): Promise<VerifiedToken>
}

/** For each test of the calling file, a verifier that has seen nothing, in front of an issuer that publishes one key. */
export function setUpVerifier(...moreFamilies: IssuerFamily[]): VerifierFixture {
  const families = new Map([...FAMILIES, ...moreFamilies.map((family) => [family.facts.name, family] as const)])
  let [key, foreignKey]: TestKey[] = []
  let network = new TestNetwork()
  let verifier = createVerifier({ audience: AUDIENCE, cryptography, http: network.http, clock: testClock() })

  beforeAll(async () => {
    ;[key, foreignKey] = [await makeKey("k1"), await makeKey("k1")]
  })
  beforeEach(() => {
    network = new TestNetwork()
    network.publish([publicJwk(present(key))])
    verifier = createVerifier({ audience: AUDIENCE, cryptography, http: network.http, clock: testClock(), families })
  })

  const verify = (text: string, ...issuers: IssuerConfig[]) =>
    verifier.verify(text, listed(...(issuers.length > 0 ? issuers : [issuer()])))
  return {
    get key() {
      return present(key)
    },
    get foreignKey() {
      return present(foreignKey)
    },
    get network() {
      return network
    },
    verify,
    verifyClaims: async (overrides, config = issuer()) =>
      verify(await token(present(key), { claims: claims(overrides) }), config),
    verifyAlsoFor: async (audience, overrides, config = issuer()) =>
      verifier.verify(await token(present(key), { claims: claims(overrides) }), listed(config), audience),
  }
}

function present(key: TestKey | undefined): TestKey {
  if (!key) throw new Error("keys are there only inside of a test")
  return key
}
