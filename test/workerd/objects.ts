import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import {
  type KeyRingMethods,
  type LedgerMethods,
  ledgerObjectName,
  type Namespace,
} from "../../broker/adapters/cloudflare/ledgers.ts"
import type { Ledger } from "./main.ts"

/** The namespaces that the suite's configuration binds. */
export const objects = env as unknown as {
  readonly LEDGER: Namespace<LedgerMethods & DurableObjectStub>
  readonly KEY_RING: Namespace<KeyRingMethods & DurableObjectStub>
}

export function stubOf(issuerUrl: string, unitId: string): DurableObjectStub {
  return objects.LEDGER.getByName(ledgerObjectName({ issuerUrl, unitId }))
}

/** Runs `work` inside of a ledger's object. */
export function inside<Value>(
  stub: DurableObjectStub,
  work: (ledger: Ledger, state: DurableObjectState) => Promise<Value>,
): Promise<Value> {
  return runInDurableObject(stub, (instance, state) => work(instance as unknown as Ledger, state))
}
