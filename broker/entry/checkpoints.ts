import { sha256 as noble } from "@noble/hashes/sha2.js"
import { webEd25519 } from "../adapters/web/ed25519.ts"
import type { Sha256 } from "../core/audit-chain.ts"
import { parseTrustPolicy } from "../core/checkpoint/trust-policy.ts"
import type { Broker } from "../exchange/broker.ts"
import { recordOwnAct } from "../operate/act.ts"
import { checkpointHealth, witnessHealth } from "../operate/checkpoint-health.ts"
import { Checkpoints } from "../operate/checkpoints.ts"
import { LogOfHeads } from "../operate/log-of-heads.ts"
import { LogStates } from "../operate/log-state.ts"
import type { Documents } from "../ports/documents.ts"
import type { HealthCheck } from "../ports/health.ts"
import type { Marks } from "../ports/marks.ts"
import type { TreeStore } from "../ports/tree-store.ts"

export interface CheckpointParts {
  readonly broker: Pick<Broker, "url" | "sealer" | "ledgers" | "http" | "clock" | "log" | "policySource">
  readonly documents: Documents
  readonly trees: TreeStore
  readonly marks: Marks
  /** The runtime's fastest. */
  readonly sha256?: Sha256
}

export interface CheckpointKeeping {
  /** A reader of the record: it grows the trees, signs, and asks witnesses. */
  readonly log: LogOfHeads
  readonly checkpoints: Checkpoints
  readonly health: readonly HealthCheck[]
}

/** The log of heads of one instance. The organisation file in force names its witnesses. */
export function keepCheckpoints({
  broker,
  documents,
  trees,
  marks,
  sha256 = noble,
}: CheckpointParts): CheckpointKeeping {
  const { url, sealer, ledgers, http, clock, log, policySource } = broker
  const states = new LogStates({ documents, sealer, ed25519: webEd25519, sha256, url })
  const witnessLines = async () => (await policySource.snapshot()).organisation.witnesses ?? null
  const heads = new LogOfHeads({
    ...{ store: trees, states, ledgers, ed25519: webEd25519, sha256, http, clock, log },
    async witnesses() {
      const lines = await witnessLines()
      const policy = lines === null ? null : parseTrustPolicy(lines, sha256)
      // Loading has refused any other.
      return policy?.ok ? policy.value : null
    },
    record: (event, reason) => recordOwnAct(event, reason, broker),
  })
  return {
    log: heads,
    checkpoints: new Checkpoints({ store: trees, states, trees: heads.trees, witnessLines }),
    health: [
      witnessHealth(states, () => clock.now()),
      checkpointHealth({ states, store: trees, marks, now: () => clock.now() }),
    ],
  }
}
