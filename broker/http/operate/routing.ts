import type { Context, Hono } from "hono"
import type { OperatorRight } from "../../core/operator-rights.ts"
import type { Broker } from "../../exchange/broker.ts"
import type { OperatorAct } from "../../operate/act.ts"
import type { GaugeSource } from "../../operate/gauges.ts"
import type { DeploymentKeys } from "../../operate/keys.ts"
import type { CheckpointSource } from "../../ports/checkpoints.ts"
import type { Directory } from "../../ports/directory.ts"
import type { Documents } from "../../ports/documents.ts"
import type { FollowTotals } from "../../ports/followed.ts"
import type { GitHubHook } from "../../ports/leaked-values.ts"
import type { RequestEvent } from "../../ports/log.ts"
import type { Counts } from "../../ports/metrics.ts"
import type { OutboundDesk } from "../../ports/outbound.ts"
import type { RecordIndex } from "../../ports/record-index.ts"
import type { Client } from "../exchange-route.ts"

/** What an operator's route finds in `context.env`: who asks, and the request's line in the log, to be filled along the way. */
export interface OperateEnv {
  readonly Bindings: { readonly client: Client; readonly event: RequestEvent }
}

/** Everything that the operators' routes work with. */
export interface OperateServices {
  readonly broker: Broker
  readonly keys: DeploymentKeys
  readonly documents: Documents
  /** Left out where the broker follows no ledgers. */
  readonly directory?: Directory
  /** Left out where the broker keeps no log of heads. */
  readonly checkpoints?: CheckpointSource
  readonly index?: RecordIndex
  /** Left out where GitHub tells this broker of no leaks. */
  readonly gitHubHook?: GitHubHook
  /** How far the directory and the readers of the record are. Left out as `directory`. */
  totals?(): Promise<FollowTotals>
  /** Left out where nothing leaves the broker by itself. */
  readonly outbound?: OutboundDesk
  /** Begins to revoke what is due now, where no ledger does it by itself. */
  sweepSoon?(): void
  /** What was counted: in this process, or at the edge by all isolates together. */
  counts(): Promise<Counts>
  /** What the runtime can tell beside what every broker can. */
  readonly gauges: readonly GaugeSource[]
}

/** What a group of routes needs. */
export interface OperateRouting extends OperateServices {
  readonly app: Hono<OperateEnv>
  /**
   * The operator of a call who has the right, or one of the others. Each route asks for it before it looks at anything else.
   *
   * @throws {BrokerError} `token_*`, `proof_invalid`, `bound_token_required`, `not_allowed`
   */
  act(context: Context<OperateEnv>, right: OperatorRight, ...others: readonly OperatorRight[]): Promise<OperatorAct>
}

/** Adds the routes of one subject. */
export type OperateRoutes = (routing: OperateRouting) => void
