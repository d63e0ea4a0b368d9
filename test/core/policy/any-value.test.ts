import { describe, expect, it } from "vitest"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { CASES } from "../../../broker/providers/cases.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { ISSUER_URL } from "./support.ts"

// A value of any kind at any place of a good file makes a fault or none. It never makes the loader throw: then a whole folder
// of policies would load for nobody. Maps of a document have no prototype, so `String()` and `join()` throw on them.

const ANY_VALUES: readonly unknown[] = [{}, [{}], { a: {} }, null, 1]

const ORGANISATION = {
  version: 1,
  issuers: {
    github: {
      family: "github-actions",
      url: ISSUER_URL,
      owners: { acme: "9001" },
      repository_policies: true,
    },
  },
  connections: {
    oidc: {
      provider: "identity-token",
      audiences: ["https://api.example.com"],
      max_ttl: "1h",
      require_bound_token: true,
    },
  },
  boundaries: [
    {
      name: "all",
      when: { repository: ["acme/shop", "acme/shop-*"] },
      allow: [{ connection: "oidc", audience: "https://*.example.com" }],
      require: { runner_environment: { not: "self-hosted" } },
      max_ttl: "1h",
    },
  ],
  limits: { exchanges_per_minute: 60 },
  help: { url: "https://wiki.example.com", text: "Ask the platform team" },
}

const POLICY = {
  version: 1,
  issuer: "github",
  repository: "acme/shop",
  repository_id: "41",
  environment: "production",
  allow: [{ name: "main", when: { ref: ["refs/heads/main"], event_name: { not: "push" } }, grants: ["api"] }],
  deny: [{ name: "own runners", when: { runner_environment: { present: false } }, grants: ["api"] }],
  grants: { api: { connection: "oidc", audience: "https://api.example.com", ttl: "15m", claims: { tier: "one" } } },
}

/** Copies of a document, each with another value at one of its places. */
function* replaced(document: unknown): Generator<unknown> {
  yield* ANY_VALUES
  if (typeof document !== "object" || document === null) return
  for (const [key, member] of Object.entries(document)) {
    for (const other of replaced(member)) {
      yield Array.isArray(document) ? document.with(Number(key), other) : { ...document, [key]: other }
    }
  }
}

function load(organisation: unknown, policy: unknown): void {
  const file = (path: string, value: unknown) => ({ path, bytes: new TextEncoder().encode(JSON.stringify(value)) })
  loadPolicySet([file("daypass.yaml", organisation), file("p.yaml", policy)], PROVIDERS)
}

describe("any value, at any place", () => {
  it("of an organisation file", () => {
    const documents = [...replaced(ORGANISATION)]
    expect(documents.length).toBeGreaterThan(150)
    for (const document of documents) {
      expect(() => load(document, POLICY), JSON.stringify(document)).not.toThrow()
    }
  })

  it("of a policy", () => {
    for (const document of replaced(POLICY)) {
      expect(() => load(ORGANISATION, document), JSON.stringify(document)).not.toThrow()
    }
  })

  it.each([...CASES].map(([name, [story]]) => ({ name, story })))(
    "of a connection and a grant of $name",
    ({ name, story }) => {
      const whole = (connection: unknown) => ({ ...ORGANISATION, connections: { c: connection }, boundaries: [] })
      const granting = (grant: unknown) => ({ ...POLICY, grants: { api: grant } })
      const connection = { provider: name, ...(story?.connection as object) }
      const grant = { connection: "c", ...(story?.grant as object) }
      for (const other of replaced(connection)) {
        expect(() => load(whole(other), granting(grant)), JSON.stringify(other)).not.toThrow()
      }
      for (const other of replaced(grant)) {
        expect(() => load(whole(connection), granting(other)), JSON.stringify(other)).not.toThrow()
      }
    },
  )
})
