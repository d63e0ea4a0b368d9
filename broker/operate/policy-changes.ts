import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Marks } from "../ports/marks.ts"
import { recordOwnAct } from "./act.ts"

const MARK = "policies"

/**
 * Records in the deployment's own ledger that other policies are in force than at the last look. Looked at by the one process
 * that follows the ledgers, so that several brokers record a change once.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function recordPolicyChange(
  broker: Pick<Broker, "ledgers" | "clock" | "url" | "policySource">,
  marks: Marks,
): Promise<void> {
  const version = await versionInForce(broker)
  if (version === null) return
  const before = await marks.read(MARK)
  if (before === version) return
  const { policies } = broker.policySource.status()
  const earlier = before === null ? "" : `; before: ${before}`
  await recordOwnAct("policies.changed", `in force: ${version} (${policies} policies)${earlier}`, broker)
  await marks.write(MARK, version)
}

async function versionInForce({ policySource }: Pick<Broker, "policySource">): Promise<string | null> {
  try {
    return (await policySource.snapshot()).version
  } catch (error) {
    // That there are no policies is told elsewhere.
    if (error instanceof BrokerError) return null
    throw error
  }
}
