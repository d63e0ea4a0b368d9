import type { Documents, StoredDocument } from "../../ports/documents.ts"
import type { KeyRing } from "../../ports/key-ring.ts"
import type { Ledger, Ledgers } from "../../ports/ledger.ts"
import type { Marks } from "../../ports/marks.ts"
import type { LedgerKey } from "../ledger/rows.ts"
import type { GuardMethods, Guards } from "./guards.ts"
import { inTime } from "./in-time.ts"
import { type Answer, ask } from "./rpc.ts"

/** The part of a Durable Object namespace that is used here. */
export interface Namespace<Methods> {
  getByName(name: string): Methods
  /** The same names in a jurisdiction: other objects. @throws where the platform has no such jurisdiction */
  jurisdiction(name: string): Namespace<Methods>
}

/** The objects of a jurisdiction as Cloudflare names it; empty for none. */
export const objectsIn = <Methods>(namespace: Namespace<Methods>, jurisdiction: string): Namespace<Methods> =>
  jurisdiction === "" ? namespace : namespace.jurisdiction(jurisdiction)

/** A port's methods as a Durable Object offers them: `Context` comes first, and errors are returned as answers. */
export type Remote<Port, Context extends readonly unknown[]> = {
  readonly [Name in keyof Port]: Port[Name] extends (...values: infer Values) => Promise<infer Value>
    ? (...values: [...Context, ...Values]) => Promise<Answer<Value>>
    : never
}

/** The methods of a ledger's object. Each call names the ledger. */
export type LedgerMethods = Remote<Ledger, readonly [key: LedgerKey]>
/** The methods of the key ring's object. */
export type KeyRingMethods = Remote<KeyRing, readonly []> & MarkMethods & DocumentMethods & GuardMethods

/** The deployment's marks are in the key ring's object, too: there is one for each deployment. */
export interface MarkMethods {
  readMark(name: string): Promise<Answer<string | null>>
  writeMark(name: string, value: string): Promise<Answer<void>>
}

/** So are its documents. */
export interface DocumentMethods {
  readDocument(name: string): Promise<Answer<StoredDocument>>
  replaceDocument(name: string, expectedVersion: number, text: string): Promise<Answer<boolean>>
}

const READ_WITHIN_MS = 2000
const KEY_RING_NAME = "signing-keys"

/** The ledgers of a deployment at the edge: one Durable Object for each unit. */
export function createCloudflareLedgers(namespace: Namespace<LedgerMethods>): Ledgers {
  return { of: (issuerUrl, unitId) => ledgerAt(namespace, { issuerUrl, unitId }) }
}

/** The key ring of a deployment at the edge: one Durable Object. */
export function createCloudflareKeyRing(namespace: Namespace<KeyRingMethods>): KeyRing {
  // Each call makes a new stub, because a stub that failed once stays broken.
  const ring = () => namespace.getByName(KEY_RING_NAME)
  return {
    read: () => ask(() => ring().read()),
    replace: (expectedVersion, keys) => ask(() => ring().replace(expectedVersion, keys)),
  }
}

/** The guards of a deployment at the edge, in the key ring's object. */
export function createCloudflareGuards(namespace: Namespace<GuardMethods>): Guards {
  const ring = () => namespace.getByName(KEY_RING_NAME)
  return {
    raiseFloor: (publishedAt) => ask(() => ring().raiseFloor(publishedAt)),
    meetLedger: (name, birth) => ask(() => ring().meetLedger(name, birth)),
    fixJurisdiction: (wanted) => ask(() => ring().fixJurisdiction(wanted)),
  }
}

/** The marks of a deployment at the edge. */
export function createCloudflareMarks(namespace: Namespace<KeyRingMethods>): Marks {
  const object = () => namespace.getByName(KEY_RING_NAME)
  return {
    read: (name) => ask(() => object().readMark(name)),
    write: (name, value) => ask(() => object().writeMark(name, value)),
  }
}

/** The documents of a deployment at the edge. */
export function createCloudflareDocuments(namespace: Namespace<KeyRingMethods>): Documents {
  const object = () => namespace.getByName(KEY_RING_NAME)
  return {
    // Exchanges wait for it. They go on with what they know when it takes too long.
    read: (name) => ask(() => inTime(object().readDocument(name), READ_WITHIN_MS)),
    replace: (name, expectedVersion, text) => ask(() => object().replaceDocument(name, expectedVersion, text)),
  }
}

/** The name of a ledger's object. It is JSON, because different parts could give the same joined text. */
export function ledgerObjectName(key: LedgerKey): string {
  return JSON.stringify([key.issuerUrl, key.unitId])
}

function ledgerAt(namespace: Namespace<LedgerMethods>, key: LedgerKey): Ledger {
  const object = () => namespace.getByName(ledgerObjectName(key))
  return {
    admit: (admission) => ask(() => object().admit(key, admission)),
    admitMinted: (admission) => ask(() => object().admitMinted(key, admission)),
    settle: (settlement) => ask(() => object().settle(key, settlement)),
    beginRevocation: (request) => ask(() => object().beginRevocation(key, request)),
    settleRevocation: (settlement) => ask(() => object().settleRevocation(key, settlement)),
    prepare: (preparation) => ask(() => object().prepare(key, preparation)),
    look: (lease) => ask(() => object().look(key, lease)),
    recordRevocation: (settlement) => ask(() => object().recordRevocation(key, settlement)),
    suspect: (suspicion) => ask(() => object().suspect(key, suspicion)),
    standing: (now) => ask(() => object().standing(key, now)),
    openLeases: (after, limit) => ask(() => object().openLeases(key, after, limit)),
    cutShort: (order) => ask(() => object().cutShort(key, order)),
    replaceHandles: (changes, now) => ask(() => object().replaceHandles(key, changes, now)),
    useProof: (token, now) => ask(() => object().useProof(key, token, now)),
    append: (audit) => ask(() => object().append(key, audit)),
    auditTrail: (after, limit) => ask(() => object().auditTrail(key, after, limit)),
    archive: (order) => ask(() => object().archive(key, order)),
    archived: () => ask(() => object().archived(key)),
  }
}
