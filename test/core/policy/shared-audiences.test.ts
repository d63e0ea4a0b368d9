import { describe, expect, it } from "vitest"
import * as z from "zod"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { ConnectionAudiences, ProviderSchemas } from "../../../broker/core/policy/provider-schemas.ts"
import { ISSUER_URL } from "./support.ts"

/** Providers whose connections say for themselves what they do with which audiences. */
const kind = z.enum(["handedOut", "presented", "ownLogin"])
const talking: ProviderSchemas = {
  connection: z.strictObject({ does: kind, audience: z.string() }),
  grant: z.strictObject({}),
  audiences: (connection): ConnectionAudiences => {
    const { does, audience } = connection as { does: z.infer<typeof kind>; audience: string }
    return { [does]: [audience] }
  },
  minTtlSeconds: 0,
  maxTtlSeconds: 60,
  resource: () => "r",
}
const { audiences: _, ...silent } = talking
const PROVIDERS = new Map<string, ProviderSchemas>([
  ["token", talking],
  ["aws", talking],
  ["aws-store", talking],
  ["vault", talking],
  ["silent", silent],
])

type Connection = readonly [provider: string, does: z.infer<typeof kind>, audience?: string]

function faultsOf(...connections: readonly Connection[]) {
  const organisation = {
    version: 1,
    issuers: { github: { family: "github-actions", url: ISSUER_URL, owners: { acme: "9001" } } },
    connections: Object.fromEntries(
      connections.map(([provider, does, audience = "x"], index) => [`c${index}`, { provider, does, audience }]),
    ),
  }
  const bytes = new TextEncoder().encode(JSON.stringify(organisation))
  const loaded = loadPolicySet([{ path: "daypass.yaml", bytes }], PROVIDERS)
  return loaded.ok ? [] : loaded.fault.map(({ code, message }) => `${code} ${message}`)
}

describe("an audience of two connections", () => {
  it.each<readonly [string, readonly Connection[], RegExp]>([
    [
      "a job gets tokens for what another presents",
      [
        ["token", "handedOut"],
        ["vault", "presented"],
      ],
      /c0: .*is also used by the connection "c1"/,
    ],
    [
      "in either order",
      [
        ["vault", "presented"],
        ["token", "handedOut"],
      ],
      /c1: .*is also used by the connection "c0"/,
    ],
    [
      "a job gets tokens for what the broker logs in with",
      [
        ["token", "handedOut"],
        ["vault", "ownLogin"],
      ],
      /c0: /,
    ],
    [
      "a grant could name the broker's own login",
      [
        ["aws", "presented"],
        ["aws-store", "ownLogin"],
      ],
      /c0: .*uses for the broker's own login/,
    ],
  ])("is a fault where %s", (_, connections, message) => {
    const faults = faultsOf(...connections)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(/^audience_shared /)
    expect(faults[0]).toMatch(message)
  })

  it.each<readonly [string, readonly Connection[]]>([
    [
      "it is presented by both",
      [
        ["vault", "presented"],
        ["vault", "presented"],
      ],
    ],
    [
      "it is handed out by both",
      [
        ["token", "handedOut"],
        ["token", "handedOut"],
      ],
    ],
    [
      "another vendor logs in with it",
      [
        ["vault", "presented"],
        ["aws-store", "ownLogin"],
      ],
    ],
    [
      "they are two",
      [
        ["token", "handedOut", "x"],
        ["vault", "presented", "y"],
      ],
    ],
    [
      "the other says nothing of audiences",
      [
        ["token", "handedOut"],
        ["silent", "presented"],
      ],
    ],
  ])("is none where %s", (_, connections) => {
    expect(faultsOf(...connections)).toEqual([])
  })
})
