import { expect, it } from "vitest"
import type { IssuerConfig } from "../../../broker/core/policy/model.ts"
import { createKnownIssuers } from "../../../broker/exchange/known-issuers.ts"

/** Marks in memory, which count what is written. */
function marks() {
  const values = new Map<string, string>()
  const written: string[] = []
  return {
    written,
    read: async (name: string) => values.get(name) ?? null,
    write: async (name: string, value: string) => {
      values.set(name, value)
      written.push(value)
    },
  }
}

const cluster: IssuerConfig = {
  name: "cluster",
  family: "kubernetes",
  url: "https://kubernetes.example.com",
  owners: new Map([["kubernetes.example.com", "https://kubernetes.example.com"]]),
  repositoryPolicies: false,
}

it.each<readonly [string, Partial<IssuerConfig>]>([
  ["nothing more", {}],
  ["a lifetime", { maxTokenLifetimeSeconds: 7200 }],
  ["an audience", { audience: "https://app.example.com" }],
  ["audiences that may stand beside the broker's", { otherAudiences: ["ari:cloud:bitbucket::workspace/1"] }],
  ["a place of its keys", { keys: { by: "url", url: "https://10.0.0.1:6443/openid/v1/jwks" } }],
  [
    "its keys",
    { keys: { by: "list", list: [{ kid: "one", alg: "ES256", kty: "EC", crv: "P-256", x: "AA", y: "AA" }] } },
  ],
  ["a mapping of its claims", { claims: { environment: "deploy_env" } }],
])("an issuer is recalled with %s, as its tokens are verified with it", async (_, more) => {
  const kept = marks()
  const issuer = { ...cluster, ...more }
  const known = createKnownIssuers(kept)
  expect(await known.recall()).toBeNull()
  await known.remember("v1", new Map([["cluster", issuer]]))
  await known.remember("v1", new Map([["cluster", issuer]]))
  expect(kept.written.length).toBe(1)
  expect(await createKnownIssuers(kept).recall()).toEqual(new Map([["cluster", issuer]]))
})

it("what an older version stored is recalled", async () => {
  const kept = marks()
  const { owners, repositoryPolicies, ...rest } = cluster
  await kept.write("issuers", JSON.stringify([{ ...rest, owners: [...owners] }]))
  expect(await createKnownIssuers(kept).recall()).toEqual(new Map([["cluster", cluster]]))
})
