import * as z from "zod"
import { createKeptValues } from "../../../broker/adapters/memory/kept-values.ts"
import { createLogins } from "../../../broker/adapters/memory/logins.ts"
import { createMemoryMetrics } from "../../../broker/adapters/memory/metrics.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { Identity } from "../../../broker/core/identity.ts"
import type { ApprovalFact, BreakGlass } from "../../../broker/core/policy/break-glass.ts"
import type { EnvironmentDemand, ProtectionFact } from "../../../broker/core/policy/environment-protection.ts"
import type {
  Boundary,
  Connection,
  Grant,
  LimitEntry,
  Organisation,
  Policy,
} from "../../../broker/core/policy/model.ts"
import { Secret } from "../../../broker/core/secret.ts"
import type { Stop } from "../../../broker/core/stops.ts"
import type { Broker } from "../../../broker/exchange/broker.ts"
import type { ExchangeCall } from "../../../broker/exchange/call.ts"
import { createOwedRecords } from "../../../broker/exchange/owed.ts"
import { createVendorPace } from "../../../broker/exchange/vendor-pace.ts"
import type {
  AdmissionOutcome,
  DueLease,
  LeaseCredentialState,
  RevocationStart,
  SweptLedger,
} from "../../../broker/ports/ledger.ts"
import type { Minted, Provider } from "../../../broker/providers/provider.ts"
import { createSealer } from "../../../broker/signing/sealer.ts"
import { clockOf } from "../../support/clock.ts"
import { cryptography } from "../../support/cryptography.ts"
import { job } from "../job.ts"

/** What happened, in the order in which it happened, across all ports. */
export type Story = string[]

export const CANARY = "canary-of-a-minted-secret"

export const NOW = new Date("2026-11-22T12:00:00.000Z")

export const IDENTITY = job({ claims: { ref: "refs/heads/main", event_name: "push" } })

/**
 * How a provider of the test's behaves for a grant. What is `in-memory` is minted without a call. `outlives`, `dies-early` and `never-expires` mint what can be taken back
 * and lives for an hour, for a minute, or for ever, whatever was asked for.
 */
const BEHAVIOURS = [
  "mints",
  "outlives",
  "dies-early",
  "never-expires",
  "mints-but-cannot-revoke",
  "expires-only",
  "in-memory",
  "fails-in-memory",
  "fails",
  "is-down",
  "breaks",
] as const

export type Behaviour = (typeof BEHAVIOURS)[number]

export interface WorldOptions {
  readonly grants: Readonly<Record<string, Behaviour>>
  /** The connections of grants, by their names, where it is not `staged`. */
  readonly connections?: Readonly<Record<string, string>>
  /** The lifetimes of grants, in seconds, where it is not 900. */
  readonly ttls?: Readonly<Record<string, number>>
  readonly identity?: Partial<Identity>
  readonly boundTo?: string | null
  /** Seconds from NOW to the token's `exp`, if not 300. */
  readonly tokenEndsIn?: number
  readonly requireBoundToken?: boolean
  readonly help?: Organisation["help"]
  /** The stops in force; `unknown`: they cannot be read. */
  readonly stops?: readonly Stop[] | "unknown"
  /** Calls of the ledger that fail, by name. */
  readonly ledgerFails?: readonly (keyof SweptLedger)[]
  /** What the ledger answers when a revocation begins. */
  readonly revocation?: RevocationStart
  readonly due?: readonly DueLease[]
  readonly alreadyUsed?: boolean
  readonly sealerFails?: boolean
  /** The job ends its lease while the broker mints. */
  readonly endedEarly?: boolean
  /** What the ledger answers to an admission, if not the usual. */
  readonly admission?: AdmissionOutcome
  /** A lease as it can be read while the ledger cannot be written. */
  readonly looked?: readonly LeaseCredentialState[] | null
  /** The policies cannot be loaded. */
  readonly policiesFail?: boolean
  /** The broker has no provider any more. */
  readonly providerIsGone?: boolean
  readonly boundaries?: readonly Boundary[]
  readonly limits?: readonly LimitEntry[]
  /** The most open leases of grants that limit them. */
  readonly maxOpenLeases?: Readonly<Record<string, number>>
  readonly protectedEnvironment?: EnvironmentDemand
  /** What the environment's host answers. */
  readonly protection?: ProtectionFact
  /** Demanded of every grant. */
  readonly breakGlass?: BreakGlass
  /** What the environment's host answers about the run. */
  readonly approvals?: ApprovalFact
}

/** A broker whose every port tells what was asked of it. */
export async function world(options: WorldOptions) {
  const story: Story = []
  const settled: unknown[] = []
  const events: unknown[] = []

  const guard = (name: keyof SweptLedger) => {
    story.push(name)
    if (options.ledgerFails?.includes(name)) throw new BrokerError("ledger_unavailable", "The ledger's disk is full.")
  }
  const ledger: SweptLedger = {
    async admit(admission) {
      guard("admit")
      settled.push(admission)
      return options.admission ?? { outcome: options.alreadyUsed ? "already-used" : "admitted" }
    },
    async admitMinted(admission) {
      guard("admitMinted")
      settled.push(admission)
      return options.admission ?? { outcome: options.alreadyUsed ? "already-used" : "admitted" }
    },
    async useProof() {
      guard("useProof")
      return true
    },
    async settle(settlement) {
      guard("settle")
      if (options.endedEarly && settlement.outcome === "minted") throw new BrokerError("client_gone", "It is over.")
      settled.push(settlement)
    },
    async beginRevocation() {
      guard("beginRevocation")
      return options.revocation ?? { outcome: "not-found" }
    },
    async settleRevocation(settlement) {
      guard("settleRevocation")
      settled.push(settlement)
    },
    async prepare(preparation) {
      guard("prepare")
      settled.push(preparation)
    },
    async look() {
      guard("look")
      return options.looked ?? null
    },
    async recordRevocation(settlement) {
      guard("recordRevocation")
      settled.push(settlement)
    },
    async suspect(suspicion) {
      guard("suspect")
      settled.push(suspicion)
    },
    async standing() {
      guard("standing")
      return {
        exchanges: { used: 1, resetsInSeconds: 30 },
        openLeases: 2,
        denials: { used: 3, counted: 0, resetsInSeconds: 600 },
      }
    },
    async archive() {
      guard("archive")
      return false
    },
    async archived() {
      guard("archived")
      return null
    },
    async lookDue() {
      guard("lookDue")
      return options.due ?? []
    },
    async takeDue() {
      guard("takeDue")
      return options.due ?? []
    },
    async openLeases() {
      guard("openLeases")
      return []
    },
    async cutShort() {
      guard("cutShort")
      return { ended: 0, revoking: 0, underWay: 0, expiring: { leases: 0, until: 0 }, next: null }
    },
    async replaceHandles() {
      guard("replaceHandles")
    },
    async auditTrail() {
      return []
    },
    async append() {
      guard("append")
    },
  }

  const provider: Provider<unknown, { behaviour: Behaviour }> = {
    name: "staged",
    summary: "does what the test says",
    ends: "as the test says",
    connection: z.unknown(),
    grant: z.object({ behaviour: z.enum(BEHAVIOURS) }),
    minTtlSeconds: 60,
    maxTtlSeconds: 3600,
    resource: ({ behaviour }) => `resource of ${behaviour}`,
    local: ({ behaviour }) => behaviour.endsWith("in-memory"),
    async mint({ grant, grantName, ttlSeconds }): Promise<Minted> {
      story.push(`mint ${grantName}`)
      if (grant.behaviour.startsWith("fails"))
        throw new BrokerError("provider_denied", "the staged provider refused connection staged")
      if (grant.behaviour === "is-down") throw new BrokerError("provider_unavailable", "not now")
      if (grant.behaviour === "breaks") throw new Error(`something with ${CANARY} in it`)
      const minted = {
        values: { key: { value: new Secret(CANARY), env: "KEY" }, region: { value: "eu" } },
        expiresAt: expiryOf(grant.behaviour, ttlSeconds),
      }
      if (grant.behaviour === "expires-only" || grant.behaviour === "in-memory")
        return { ...minted, revocation: "expires-only" }
      return { ...minted, revocation: "revocable", handle: new Secret(`${grant.behaviour} ${grantName} ${CANARY}`) }
    },
    async revoke(handle) {
      const [behaviour, grantName] = handle.reveal().split(" ")
      // Called as a method: a provider that is a class finds itself.
      story.push(this.name === "staged" ? `revoke ${grantName}` : "revoke without its provider")
      if (behaviour === "mints-but-cannot-revoke") throw new BrokerError("provider_unavailable", "not now")
    },
  }

  const connections = new Map(
    ["staged", ...Object.values(options.connections ?? {})].map((name): [string, Connection] => [
      name,
      { name, provider: "staged", settings: {}, requireBoundToken: options.requireBoundToken ?? false },
    ]),
  )
  const connectionOf = (grant: string): Connection => {
    const connection = connections.get(options.connections?.[grant] ?? "staged")
    if (!connection) throw new Error("the test's grant has no connection")
    return connection
  }
  const grants = new Map(
    Object.entries(options.grants).map(([name, behaviour]): [string, Grant] => [
      name,
      {
        name,
        file: "p.yaml",
        line: 1,
        connection: connectionOf(name),
        fields: { behaviour },
        ttlSeconds: options.ttls?.[name] ?? 900,
        minTtlSeconds: 60,
        ...(options.breakGlass && { breakGlass: options.breakGlass }),
        ...(options.maxOpenLeases?.[name] === undefined ? {} : { maxOpenLeases: options.maxOpenLeases[name] }),
      },
    ]),
  )
  const organisation: Organisation = {
    issuers: new Map([
      [
        "github",
        {
          name: "github",
          family: "github-actions",
          url: IDENTITY.issuerUrl,
          owners: new Map([["acme", "9001"]]),
          repositoryPolicies: false,
        },
      ],
    ]),
    connections,
    boundaries: options.boundaries ?? [],
    limits: options.limits ?? [],
    requireBoundToken: false,
    ...(options.help && { help: options.help }),
  }
  const policy: Policy = {
    file: "p.yaml",
    issuer: "github",
    unit: "acme/shop",
    target: { kind: "unit", id: "41" },
    environment: "production",
    origin: "organisation",
    ...(options.protectedEnvironment ? { protectedEnvironment: options.protectedEnvironment } : {}),
    allow: [{ kind: "allow", name: "all", file: "p.yaml", line: 1, grants: new Set(grants.keys()), conditions: [] }],
    deny: [],
    grants,
  }
  const identity = { ...IDENTITY, ...options.identity }
  const sealer = await createSealer(
    new Secret(Uint8Array.from({ length: 32 }, (_, index) => index)),
    "test",
    cryptography,
  )
  const broker: Broker = {
    url: "https://daypass.example",
    cryptography,
    policySource: {
      async snapshot() {
        if (options.policiesFail) throw new BrokerError("policy_unavailable", "There are no policies.")
        return {
          version: "v1",
          organisation,
          async policiesOf({ issuer, unitId }) {
            story.push("policiesOf")
            const policies = issuer === "github" && unitId === "41" ? [policy] : []
            return { policies, version: "v1", notes: [] }
          },
        }
      },
      status: () => ({ version: "v1", policies: 1, loaded_at: NOW.toISOString() }),
    },
    environments: {
      async protectionOf() {
        story.push("protectionOf")
        return options.protection ?? { known: false, reason: "nobody knows" }
      },
      async approvalsOf() {
        story.push("approvalsOf")
        return options.approvals ?? { known: false, reason: "nobody knows" }
      },
    },
    verifier: {
      async verify() {
        story.push("verify")
        const issuer = organisation.issuers.get("github")
        if (!issuer) throw new Error("the test's organisation has no issuer")
        return {
          identity,
          issuer,
          tokenKey: "token-key",
          issuedAt: NOW.getTime() / 1000,
          digest: "digest",
          diesAt: NOW.getTime() / 1000 + (options.tokenEndsIn ?? 300) + 60,
          boundTo: options.boundTo ?? null,
        }
      },
    },
    ledgers: { of: () => ledger },
    stops: {
      async inForce() {
        if (options.stops === "unknown") throw new BrokerError("ledger_unavailable", "The stops cannot be read.")
        return options.stops ?? []
      },
      expire: () => {},
    },
    providers: new Map(options.providerIsGone ? [] : [["staged", provider]]),
    signer: { sign: async () => new Secret("signed"), publicKeys: async () => [], forget: () => {} },
    sealer: options.sealerFails ? { ...sealer, seal: () => Promise.reject(new Error(CANARY)) } : sealer,
    connectionSecrets: {
      async named() {
        throw new Error("the staged connection has no secret")
      },
    },
    logins: createLogins(clockOf(() => NOW)),
    keptValues: createKeptValues(clockOf(() => NOW)),
    knownIssuers: { remember: async () => {}, recall: async () => organisation.issuers },
    owed: createOwedRecords({ of: () => ledger }, (event) => void events.push(event)),
    pace: createVendorPace(
      clockOf(() => NOW),
      (event) => void events.push(event),
    ),
    http: async () => {
      throw new Error("nobody should call anybody here")
    },
    clock: clockOf(() => NOW),
    log: (event) => void events.push(event),
    metrics: createMemoryMetrics(),
    health: [],
  }

  const call = (change: Partial<ExchangeCall> = {}): ExchangeCall => ({
    requestId: "request-1",
    subjectToken: "token",
    clientAddress: "192.0.2.1",
    isGone: () => false,
    event: { request_id: "request-1", route: "exchange" },
    grants: Object.keys(options.grants),
    ttlSeconds: undefined,
    key: undefined,
    lease: undefined,
    ...change,
  })
  return { broker, call, story, recorded: settled, events }
}

const VENDOR_SECONDS: Partial<Record<Behaviour, number>> = { outlives: 3600, "dies-early": 60 }

function expiryOf(behaviour: Behaviour, ttlSeconds: number): Date | null {
  if (behaviour === "never-expires") return null
  return new Date(NOW.getTime() + (VENDOR_SECONDS[behaviour] ?? ttlSeconds) * 1000)
}
