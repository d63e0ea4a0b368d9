import type { KeyRing } from "../../ports/key-ring.ts"
import type { Ledger, Ledgers } from "../../ports/ledger.ts"
import type { LedgerKey } from "../sqlite/ledger-row.ts"
import { type Answer, ask } from "./rpc.ts"

/** A namespace of Durable Objects, as far as it is used here. */
export interface Namespace<Methods> {
  getByName(name: string): Methods
}

/** A port's methods as an object of ours offers them: with answers for errors, and after `Context`. */
type Remote<Port, Context extends readonly unknown[]> = {
  readonly [Name in keyof Port]: Port[Name] extends (...values: infer Values) => Promise<infer Value>
    ? (...values: [...Context, ...Values]) => Promise<Answer<Value>>
    : never
}

/** The methods that are called on a ledger's object; each is told whose ledger it is. */
export type LedgerMethods = Remote<Ledger, readonly [key: LedgerKey]>
/** The methods that are called on the key ring's object. */
export type KeyRingMethods = Remote<KeyRing, readonly []>

const KEY_RING_NAME = "signing-keys"

/** The ledgers of a deployment at the edge: one Durable Object a repository. */
export function createCloudflareLedgers(namespace: Namespace<LedgerMethods>): Ledgers {
  return { of: (issuerUrl, repositoryId) => ledgerAt(namespace, { issuerUrl, repositoryId }) }
}

/** The key ring of a deployment at the edge: one Durable Object. */
export function createCloudflareKeyRing(namespace: Namespace<KeyRingMethods>): KeyRing {
  // A stub is made for each call: one that failed once stays broken.
  const ring = () => namespace.getByName(KEY_RING_NAME)
  return {
    read: () => ask(() => ring().read()),
    replace: (expectedVersion, keys) => ask(() => ring().replace(expectedVersion, keys)),
  }
}

/** The name of a ledger's object. JSON, because joined texts could be joined from other parts. */
export function ledgerObjectName(key: LedgerKey): string {
  return JSON.stringify([key.issuerUrl, key.repositoryId])
}

function ledgerAt(namespace: Namespace<LedgerMethods>, key: LedgerKey): Ledger {
  const object = () => namespace.getByName(ledgerObjectName(key))
  return {
    admit: (admission) => ask(() => object().admit(key, admission)),
    settle: (settlement) => ask(() => object().settle(key, settlement)),
    beginRevocation: (request) => ask(() => object().beginRevocation(key, request)),
    settleRevocation: (settlement) => ask(() => object().settleRevocation(key, settlement)),
    auditTrail: (after, limit) => ask(() => object().auditTrail(key, after, limit)),
  }
}
