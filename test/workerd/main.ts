import { KeyRingObject } from "../../broker/adapters/cloudflare/key-ring-object.ts"
import { LedgerObject } from "../../broker/adapters/cloudflare/ledger-object.ts"
import {
  createCloudflareGuards,
  type KeyRingMethods,
  type Namespace,
} from "../../broker/adapters/cloudflare/ledgers.ts"
import type { LedgerKey } from "../../broker/adapters/ledger/rows.ts"
import type { LedgerHead } from "../../broker/ports/directory.ts"
import type { KeyRing as KeyRingPort } from "../../broker/ports/key-ring.ts"
import type { SweptLedger } from "../../broker/ports/ledger.ts"

/** A ledger whose sweep is what a test says. */
export class Ledger extends LedgerObject<{ readonly KEY_RING: Namespace<KeyRingMethods> }> {
  onSweep: (ledger: SweptLedger, key: LedgerKey) => Promise<unknown> = async () => {}

  protected override meet(name: string, birth: string) {
    return createCloudflareGuards(this.env.KEY_RING).meetLedger(name, birth)
  }

  /** What the directory was told; rejects when the test says so. */
  onTell: (heads: readonly LedgerHead[]) => Promise<void> = async () => {}

  protected override tell(heads: readonly LedgerHead[]): Promise<void> {
    return this.onTell(heads)
  }

  /** As if the ledger could not be written, unless the test says otherwise. */
  protected override async sweep(ledger: SweptLedger, key: LedgerKey): Promise<boolean> {
    return (await this.onSweep(ledger, key)) === true
  }
}

/** A ring whose care is what a test says. */
export class KeyRing extends KeyRingObject {
  onKeep: (ring: KeyRingPort) => Promise<void> = async () => {}

  protected override keep(ring: KeyRingPort): Promise<void> {
    return this.onKeep(ring)
  }
}

export default {
  fetch: () => new Response(null, { status: 404 }),
}
