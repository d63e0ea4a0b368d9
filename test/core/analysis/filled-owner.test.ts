import { expect, it } from "vitest"
import { z } from "zod"
import { decideSample, PROTECTIONS } from "../../../broker/core/analysis/sample-job.ts"
import { whoCan } from "../../../broker/core/analysis/who-can.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { ProviderSchemas } from "../../../broker/core/policy/provider-schemas.ts"
import { ISSUER } from "./diff-world.ts"

/** A provider that fills gaps for the jobs of one owner alone. */
const PROVIDERS = new Map<string, ProviderSchemas>([
  [
    "app",
    {
      connection: z.strictObject({}),
      grant: z.strictObject({ repository: z.string() }),
      checkFilled: (_, { ownerId }) => (ownerId === "9002" ? null : "it is another owner's"),
      minTtlSeconds: 0,
      maxTtlSeconds: 3600,
      resource: () => "app",
    },
  ],
])

it.each([
  ["a gap is filled for the jobs of its owner alone", `\${repository_name}`, ["9002"]],
  ["what is written out is for all who may", "shop", ["9001", "9002"]],
])("who can: %s", (_, repository, owners) => {
  const organisation = {
    version: 1,
    issuers: { github: { ...ISSUER, owners: { acme: "9001", labs: "9002" } } },
    connections: { app: { provider: "app" } },
  }
  const policy = {
    version: 1,
    repository: "acme/shop",
    repository_id: "41",
    environment: "production",
    allow: [{ name: "main", when: { ref: "refs/heads/main" }, grants: ["token"] }],
    grants: { token: { connection: "app", repository } },
  }
  const inputs = Object.entries({ "daypass.yaml": organisation, "p.yaml": policy }).map(([path, value]) => ({
    path,
    bytes: new TextEncoder().encode(JSON.stringify(value)),
  }))
  const loaded = loadPolicySet(inputs, PROVIDERS)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault))
  const { rows } = whoCan(loaded.value, {}, { providers: PROVIDERS })
  expect(rows).toHaveLength(1)
  const allowed = ["9001", "9002"].filter((id) => {
    const witness = { ...rows[0]?.example, repository_owner_id: id }
    const asked = {
      witness,
      issuer: "github",
      grant: "token",
      protection: PROTECTIONS[0] ?? { known: false, reason: "" },
    }
    return decideSample(loaded.value, asked)?.outcome === "allow"
  })
  expect(allowed).toEqual(owners)
  // The first owner there is, unless the rows know better.
  expect(rows[0]?.example["repository_owner_id"]).toBe(owners[0])
})
