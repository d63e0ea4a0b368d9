import * as z from "zod"
import { cautionsOf } from "../../../broker/core/families/cautions.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import type { Claims, Identity } from "../../../broker/core/identity.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { PolicyFault, PolicySet, PolicySubject } from "../../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../../broker/core/policy/provider-schemas.ts"
import github from "../../vectors/claims/github-environment.json" with { type: "json" }

/** One provider of each temper: one with limits and a check, one without, and one whose grants have every form of a field. */
export const TEST_PROVIDERS: ProviderSchemaTable = new Map([
  [
    "vault",
    {
      connection: z.strictObject({ url: z.string(), teams: z.array(z.string()).min(1) }),
      // Not strict on purpose: the loader has to be.
      grant: z.object({ path: z.string().regex(/^[a-z/]+$/, "a path has small letters"), team: z.string().optional() }),
      check: (grant: unknown, connection: unknown) => {
        const { team } = grant as { team?: string }
        const { teams } = connection as { teams: readonly string[] }
        return team === undefined || teams.includes(team) ? null : "its team is none of the connection's"
      },
      minTtlSeconds: 60,
      maxTtlSeconds: 3600,
      resource: () => "path",
    },
  ],
  [
    "note",
    {
      connection: z.strictObject({}),
      grant: z.strictObject({ text: z.string().default("none") }),
      minTtlSeconds: 0,
      maxTtlSeconds: 86_400,
      resource: () => "note",
    },
  ],
  [
    "cloud",
    {
      connection: z.strictObject({ accounts: z.array(z.string()).optional() }),
      grant: z.strictObject({
        role: z.string().regex(/^[A-Za-z0-9:/_.${}-]+$/, "a role is an ARN"),
        scopes: z.array(z.string()).optional(),
        tags: z.record(z.string(), z.json()).optional(),
        size: z.number().optional(),
        dry: z.boolean().optional(),
      }),
      check: (grant: unknown, connection: unknown) => {
        const { role } = grant as { role: string }
        const { accounts } = connection as { accounts?: readonly string[] }
        return !accounts || accounts.some((account) => role.startsWith(`${account}:`))
          ? null
          : "its account is not listed"
      },
      minTtlSeconds: 0,
      maxTtlSeconds: 86_400,
      resource: () => "role",
    },
  ],
])

export const ISSUER_URL = "https://token.actions.githubusercontent.com"

export const ORGANISATION = `version: 1
issuers:
  github:
    family: github-actions
    url: ${ISSUER_URL}
    owners: { acme: "9001" }
connections:
  notes: { provider: note }
  vault-prod: { provider: vault, url: "https://vault.example.com", teams: [shop], max_ttl: 30m }
boundaries: []
`

/** A policy of acme/shop; `body` is everything below its head. */
export const policyOf = (
  body: string,
  head: { environment?: string | null; id?: string; repository?: string } = {},
): string => {
  const { environment = "production", id = "41", repository = "acme/shop" } = head
  const scope = environment === null ? "" : `environment: ${environment}\n`
  return `version: 1\nrepository: ${repository}\nrepository_id: "${id}"\n${scope}${body}`
}

/** A policy with one allow rule of the given `when`, for a grant named `note`. */
export const allowing = (when: string, head: { environment?: string | null } = {}): string =>
  policyOf(
    `allow:\n  - name: the rule\n    when: ${when}\n    grants: [note]\ngrants:\n  note: { connection: notes }\n`,
    head,
  )

const encoder = new TextEncoder()

export function load(files: Readonly<Record<string, string | Uint8Array>>) {
  const inputs = Object.entries(files).map(([path, text]) => ({
    path,
    bytes: typeof text === "string" ? encoder.encode(text) : text,
  }))
  return loadPolicySet(inputs, TEST_PROVIDERS)
}

/** Loads files beside the organisation file, and throws with the faults if there are any. */
export function setOf(policies: Readonly<Record<string, string>>, organisation = ORGANISATION): PolicySet {
  const loaded = load({ "daypass.yaml": organisation, ...policies })
  if (!loaded.ok) throw new Error(loaded.fault.map(shown).join("\n"))
  return loaded.value
}

export function faultsOf(files: Readonly<Record<string, string | Uint8Array>>): readonly PolicyFault[] {
  const loaded = load(files)
  return loaded.ok ? [] : loaded.fault
}

/** Faults of one policy file beside a good organisation file. */
export const policyFaults = (text: string | Uint8Array): readonly PolicyFault[] =>
  faultsOf({ "daypass.yaml": ORGANISATION, "p.yaml": text })

export const shown = ({ file, line, column, code }: PolicyFault): string => `${file}:${line}:${column} ${code}`

/** A repository of acme's by its id, as policies are asked for. */
export const subjectOf = (unitId: string, issuer = "github", repository = "acme/shop"): PolicySubject => ({
  issuer,
  unitId,
  unit: repository,
  ownerId: "9001",
})

/** A job of acme/shop in production, from main, by a push; with `claims` on top, `undefined` deleting one. */
export function identityOf(claims: Readonly<Record<string, unknown>> = {}, also: Partial<Identity> = {}): Identity {
  const all: Record<string, unknown> = Object.assign(Object.create(null), github, {
    repository: "acme/shop",
    repository_id: "41",
    repository_owner: "acme",
    repository_owner_id: "9001",
    environment: "production",
    sub: "repo:acme/shop:environment:production",
    ...claims,
  })
  for (const [name, value] of Object.entries(claims)) if (value === undefined) delete all[name]
  const text = (name: string) => String(all[name] ?? "")
  return {
    issuer: "github",
    issuerUrl: ISSUER_URL,
    unitKind: "repository",
    unit: text("repository"),
    unitId: text("repository_id"),
    owner: text("repository_owner"),
    ownerId: text("repository_owner_id"),
    ...(typeof all["environment"] === "string" ? { environment: all["environment"] } : {}),
    ref: text("ref"),
    refType: text("ref_type"),
    event: text("event_name"),
    actor: text("actor"),
    actorId: null,
    cautions: cautionsOf(GITHUB_ACTIONS, { ...(all as Claims), event_name: also.event ?? text("event_name") }),
    runId: text("run_id"),
    runAttempt: text("run_attempt"),
    claims: all as Claims,
    ...also,
  }
}
