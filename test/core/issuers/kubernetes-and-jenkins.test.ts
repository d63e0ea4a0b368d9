import { base64url } from "jose"
import { beforeAll, describe, expect, test } from "vitest"
import type { IssuerConfig } from "../../../broker/core/policy/model.ts"
import { FAMILIES } from "../../../broker/issuers/families.ts"
import { createVerifier } from "../../../broker/issuers/verify.ts"
import { TestClock } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { JENKINS_CASE } from "./families/jenkins.ts"
import { KUBERNETES_CASE } from "./families/kubernetes.ts"
import {
  AUDIENCE,
  type Json,
  listed,
  makeKey,
  publicJwk,
  refusal,
  type TestKey,
  TestNetwork,
  token,
} from "./fixture.ts"

let key: TestKey
beforeAll(async () => {
  key = await makeKey("k1")
})

const JENKINS_KEYS = `${JENKINS_CASE.config.url}/jwks`

/** The network with both issuers in it. Jenkins writes a zero byte before the modulus, as Java's BigInteger does. */
function network(): TestNetwork {
  const world = new TestNetwork()
  const cluster = KUBERNETES_CASE.config.url
  world.publish([publicJwk(key)], cluster, `${cluster}/keys`)
  const modulus = base64url.encode(Uint8Array.from([0, ...base64url.decode(key.jwk.n)]))
  world.answer(JENKINS_KEYS, { body: { keys: [publicJwk(key, { n: modulus })] } })
  return world
}

async function verify(claims: Json, config: IssuerConfig, world = network()) {
  const first = JENKINS_CASE.samples[0]?.claims["iat"]
  const clock = new TestClock((Number(first) + 10) * 1000)
  const verifier = createVerifier({ audience: AUDIENCE, cryptography, http: world.http, clock, families: FAMILIES })
  return verifier.verify(await token(key, { claims: JSON.parse(JSON.stringify(claims)) }), listed(config))
}

describe.each([
  ["kubernetes", KUBERNETES_CASE],
  ["jenkins", JENKINS_CASE],
])("a token of %s", (_, { config, samples, refused }) => {
  test.each(samples)("$name is verified", async ({ claims, identity, derived = {} }) => {
    const verified = await verify(claims, config)
    expect(verified.identity).toMatchObject(identity)
    expect({ ...verified.identity.claims }).toMatchObject(derived)
  })

  test.each(refused)("%s is refused", async (_name, claims, fault) => {
    const error = await refusal(verify({ ...samples[0]?.claims, ...claims }, config))
    expect(error.detail).toMatch(fault instanceof RegExp ? fault : new RegExp(fault.replace(/[.[\]()?*]/g, "\\$&")))
    expect(error.code).toMatch(/^token_(?:claims_invalid|audience_mismatch)$/)
  })
})

describe("a cluster", () => {
  const { config, samples } = KUBERNETES_CASE
  const sample = samples[0]?.claims ?? {}

  test("whose legacy token is shown is told what to mount instead, whatever is listed", async () => {
    const { exp, iat, nbf, aud, ...rest } = sample
    const legacy = {
      ...rest,
      iss: "kubernetes/serviceaccount",
      "kubernetes.io/serviceaccount/namespace": "payments",
      "kubernetes.io/serviceaccount/service-account.uid": "9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35",
    }
    const world = network()
    const error = await refusal(verify(legacy, config, world))
    expect(error.code).toBe("token_issuer_unknown")
    expect(error.detail).toMatch(/legacy token from a Secret.*Mount a projected serviceAccountToken volume/)
    expect(world.urls).toEqual([])
  })

  test.each([
    ["for the API server", { aud: ["https://kubernetes.default.svc"] }, "token_audience_mismatch"],
    ["for the API server too", { aud: [AUDIENCE, "https://kubernetes.default.svc"] }, "token_audience_mismatch"],
    ["without an end", { exp: undefined }, "token_claims_invalid"],
    ["for a year", { exp: 1795300000 + 365 * 86_400 }, "token_lifetime_too_long"],
    ["for longer than an hour, unless the file allows it", { exp: 1795300000 + 3601 }, "token_lifetime_too_long"],
    ["with an empty jti", { jti: "" }, "token_claims_invalid"],
  ])("whose token is %s is refused", async (_, claims, code) => {
    expect((await refusal(verify({ ...sample, ...claims }, config))).code).toBe(code)
  })

  test("may sign for a day where the file says so, and no longer", async () => {
    const raised = { ...config, maxTokenLifetimeSeconds: 7 * 86_400 }
    await expect(verify({ ...sample, exp: 1795300000 + 86_400 }, raised)).resolves.toBeDefined()
    const error = await refusal(verify({ ...sample, exp: 1795300000 + 86_401 }, raised))
    expect(error.code).toBe("token_lifetime_too_long")
  })

  test.each([
    ["EKS", "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE", "/keys"],
    ["GKE", "https://container.googleapis.com/v1/projects/acme-prod/locations/europe-west1/clusters/main", "/jwks"],
    [
      "AKS",
      "https://westeurope.oic.prod-aks.azure.com/72f988bf-86f1-41af-91ab-2d7cd011db47/9f0c1c86-5f0a-4c0e-9d1b-2f4a7d1e6b35/",
      "openid/v1/jwks",
    ],
  ])("of %s has its issuer's URL exactly as it is, with or without a slash at its end", async (_, url, path) => {
    const world = new TestNetwork()
    const place = `${url.replace(/\/$/, "")}/.well-known/openid-configuration`
    world.answer(place, { body: { issuer: url, jwks_uri: url + path } })
    world.answer(url + path, { body: { keys: [publicJwk(key)] } })
    const there = { ...config, url }
    await expect(verify({ ...sample, iss: url }, there, world)).resolves.toMatchObject({ issuer: there })
    const other = url.endsWith("/") ? url.slice(0, -1) : `${url}/`
    expect((await refusal(verify({ ...sample, iss: other }, there, world))).detail).toContain("differs only by a slash")
  })

  test("whose document leads to its address inside of the cluster is told how to go on", async () => {
    const world = network()
    world.publish([publicJwk(key)], config.url, "https://10.0.0.1:6443/openid/v1/jwks")
    expect((await refusal(verify(sample, config, world))).detail).toContain("name it as jwks_url")
  })
})

describe("a Jenkins", () => {
  const { config, samples } = JENKINS_CASE
  const sample = samples[0]?.claims ?? {}
  const mapped: IssuerConfig = {
    ...config,
    claims: { job: "job_url", environment: "deploy_env", ref: "branch", build_number: "build" },
  }
  const own = {
    sub: "jenkins:my-job",
    job_url: "https://jenkins.example.com/job/my-job/",
    deploy_env: "production",
    branch: "main",
    build: "7",
  }

  test("says what the organisation file maps", async () => {
    const { identity } = await verify({ ...sample, ...own, environment: "none" }, mapped)
    expect(identity).toMatchObject({ unitId: own.job_url, environment: "production", ref: "main", runId: "7" })
    expect({ ...identity.claims }).toMatchObject({ environment: "production", ref: "main", build_number: "7" })
  })

  test.each(["job_url", "deploy_env", "branch", "build"])(
    "whose token lacks the mapped claim %s is refused",
    async (claim) => {
      const error = await refusal(verify({ ...sample, ...own, [claim]: undefined }, mapped))
      expect(error).toMatchObject({ code: "token_claims_invalid" })
      expect(error.detail).toMatch(
        `In the subject token, the claim ${claim} is missing: the organisation file maps it as `,
      )
    },
  )

  test.each([
    ["", "must be a text or a whole number, and not empty"],
    [null, "must be a text or a whole number, and not empty"],
    [["production"], "must be a text or a whole number, and not empty"],
    [true, "must be a text or a whole number, and not empty"],
    [7, "the claim environment must be a name"],
  ])("whose mapped environment is %j is refused", async (value, fault) => {
    expect((await refusal(verify({ ...sample, ...own, deploy_env: value }, mapped))).detail).toContain(fault)
  })

  test("has its keys below the issuer, whatever its discovery document would say", async () => {
    const world = network()
    await verify(sample, config, world)
    expect(world.urls).toEqual([JENKINS_KEYS])
  })

  test("can have its documents on a host for static files", async () => {
    const url = "https://ids.example.com/jenkins"
    const world = new TestNetwork()
    world.answer("https://ids.example.com/jenkins/jwks", { body: { keys: [publicJwk(key)] } })
    const { identity } = await verify({ ...sample, iss: url }, { ...config, url }, world)
    expect(identity).toMatchObject({ unitId: sample["sub"], ownerId: url })
  })
})
