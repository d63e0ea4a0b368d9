import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { checkpointSuite } from "./checkpoint.suite.ts"
import { consoleSuite } from "./console.suite.ts"
import { environmentsSuite } from "./environments.suite.ts"
import { flowSuite } from "./flow.suite.ts"
import { incidentSuite } from "./incident.suite.ts"
import { leaksSuite } from "./leaks.suite.ts"
import { limitsSuite } from "./limits.suite.ts"
import { policySuite } from "./policy.suite.ts"
import { recordSuite } from "./record.suite.ts"
import { standardsSuite } from "./standards.suite.ts"
import { stopsSuite } from "./stops.suite.ts"
import { trailFromExport } from "./trail.ts"
import { vendorsSuite } from "./vendors.suite.ts"
import type { StartBroker } from "./world.ts"

/** What a file holds. The broker renames files while it runs: what is gone holds nothing. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return ""
    throw error
  }
}

const startBroker: StartBroker = async (options) => {
  const broker = await startNodeBroker(options)
  return {
    url: broker.url,
    output: () => broker.stdout() + broker.stderr(),
    stored: () =>
      readdirSync(broker.data)
        .map((name) => textOf(join(broker.data, name)))
        .join("\n"),
    trail: async (issuer, unitId) => trailFromExport(readAuditTrail(broker.data), issuer, unitId),
    advance: broker.advance,
    stop: () => broker.stop(),
  }
}

flowSuite("Node", startBroker)
limitsSuite("Node", startBroker)
environmentsSuite("Node", startBroker)
policySuite("Node", startBroker)
vendorsSuite("Node", startBroker)
standardsSuite("Node", startBroker)
incidentSuite("Node", startBroker)
recordSuite("Node", startBroker)
checkpointSuite("Node", startBroker)
stopsSuite("Node", startBroker)
leaksSuite("Node", startBroker)
consoleSuite("Node", startBroker)
