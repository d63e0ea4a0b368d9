import { expect, it } from "vitest"
import * as z from "zod"
import { whoCan } from "../../../analysis/who-can/who-can.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { ProviderSchemas } from "../../../broker/core/policy/provider-schemas.ts"
import { identityOf } from "../../core/policy/support.ts"
import { ISSUER } from "../diff/world.ts"

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
  ["a gap that is filled for another owner's jobs alone is nobody's", `\${repository_name}`, 0],
  ["what is written out is for whoever may", "shop", 1],
])("who can: %s", (_, repository, rows) => {
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
  const { policies, organisation: known } = loaded.value
  const identity = identityOf({ ref: "refs/heads/main", event_name: "push" })
  const decided = decide({ organisation: known, policies, identity, grants: ["token"] })
  expect(decided.outcome, "as the engine decides it").toBe(rows === 0 ? "deny" : "allow")
  expect(whoCan(loaded.value, {}, { providers: PROVIDERS }).rows).toHaveLength(rows)
})
