import { beforeAll, beforeEach, describe, expect, test } from "vitest"
import { fetchKeys } from "../../../broker/issuers/fetch-keys.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { HttpError, type HttpFailure } from "../../../broker/ports/http.ts"
import { cryptography } from "../../support/cryptography.ts"
import {
  DISCOVERY_URL,
  ISSUER_URL,
  issuer,
  JWKS_URL,
  makeKey,
  publicJwk,
  type TestKey,
  TestNetwork,
} from "./fixture.ts"

const DOCUMENTS = [DISCOVERY_URL, JWKS_URL]

let key: TestKey
let network: TestNetwork

beforeAll(async () => {
  key = await makeKey("k1")
})

beforeEach(() => {
  network = new TestNetwork()
  network.publish([publicJwk(key)])
})

const fault = async () => {
  const fetched = await fetchKeys(issuer(), githubActions, network.http, cryptography)
  return fetched.ok ? null : fetched.fault
}

test("a good answer gives the keys, for the algorithms of the family", async () => {
  const fetched = await fetchKeys(issuer(), githubActions, network.http, cryptography)
  if (!fetched.ok) throw new Error(fetched.fault)
  expect(fetched.value.find("k1", "RS256")).not.toBeNull()
  expect(fetched.value.find("k1", "RS512")).toBeNull()
  expect(fetched.value.find("k2", "RS256")).toBeNull()
})

test("a key that names no algorithm is imported for those of the family alone", async () => {
  network.publish([publicJwk(key, { alg: undefined })])
  const fetched = await fetchKeys(issuer(), githubActions, network.http, cryptography)
  if (!fetched.ok) throw new Error(fetched.fault)
  expect(["RS256", "RS512", "PS256"].map((alg) => fetched.value.find("k1", alg) !== null)).toEqual([true, false, false])
  expect(fetched.value.size).toBe(1)
})

describe("refused, in words of our own, is", () => {
  test.each<readonly [HttpFailure, string]>([
    ["unreachable", "could not be reached"],
    ["timeout", "did not arrive within 5 s"],
    ["too-large", "is larger than 64 KiB"],
    ["redirect", "was answered with a redirect, which is never followed"],
  ])("a request that fails as %s", async (reason, words) => {
    for (const url of DOCUMENTS) {
      network.publish([publicJwk(key)])
      network.answer(url, new HttpError(reason))
      expect(await fault()).toBe(`its ${url === JWKS_URL ? "key set" : "discovery document"} ${words}`)
    }
  })

  test.each([201, 204, 304, 403, 404, 500, 503])("status %i", async (status) => {
    for (const url of DOCUMENTS) {
      network.publish([publicJwk(key)])
      network.answer(url, { status, body: { issuer: ISSUER_URL, jwks_uri: JWKS_URL, keys: [publicJwk(key)] } })
      expect(await fault()).toContain(`was answered with status ${status}`)
    }
  })

  test("a discovery document that leads elsewhere, and nobody follows it", async () => {
    network.answer(DISCOVERY_URL, { body: { issuer: ISSUER_URL, jwks_uri: "https://attacker.example/keys" } })
    expect(await fault()).toBe(
      "its jwks_uri must be on the issuer's own host and port; if the other host is yours, name it as jwks_url in the organisation file",
    )
    expect(network.urls).toEqual([DISCOVERY_URL])
  })

  test("an issuer whose URL is not plain, without a request", async () => {
    for (const url of [`${ISSUER_URL}/pages/evil#`, `${ISSUER_URL}?`, `${ISSUER_URL}/a/../b`]) {
      const fetched = await fetchKeys(issuer({ url }), githubActions, network.http, cryptography)
      expect(fetched).toMatchObject({
        ok: false,
        fault: expect.stringContaining("its URL is not in its plain spelling"),
      })
    }
    expect(network.urls).toEqual([])
  })

  test("a key set with one kid twice", async () => {
    network.publish([publicJwk(key), publicJwk(key)])
    expect(await fault()).toBe("its key set has two keys with the same kid")
  })

  test("whatever the issuer wrote, without repeating it", async () => {
    for (const url of DOCUMENTS) {
      for (const body of ["canary", { canary: "canary" }, { issuer: "canary", jwks_uri: "canary", keys: ["canary"] }]) {
        network.publish([publicJwk(key)])
        network.answer(url, { body })
        expect(await fault()).toMatch(/^its (?!.*canary)/)
      }
    }
  })
})

test("a fault of our own is not taken for the issuer's", async () => {
  const broken = () => Promise.reject(new TypeError("a fault of ours"))
  await expect(fetchKeys(issuer(), githubActions, broken, cryptography)).rejects.toThrow(TypeError)
})
