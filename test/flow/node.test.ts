import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { flowSuite } from "./flow.suite.ts"
import { incidentSuite } from "./incident.suite.ts"
import { policySuite } from "./policy.suite.ts"
import { trailFromExport } from "./trail.ts"
import { vendorsSuite } from "./vendors.suite.ts"
import type { StartBroker } from "./world.ts"

const startBroker: StartBroker = async (options) => {
  const broker = await startNodeBroker(options)
  return {
    url: broker.url,
    output: () => broker.stdout() + broker.stderr(),
    stored: () =>
      readdirSync(broker.data)
        .map((name) => readFileSync(join(broker.data, name), "latin1"))
        .join("\n"),
    trail: async (issuer, repositoryId) => trailFromExport(readAuditTrail(broker.data), issuer, repositoryId),
    advance: broker.advance,
    stop: () => broker.stop(),
  }
}

flowSuite("Node", startBroker)
policySuite("Node", startBroker)
vendorsSuite("Node", startBroker)
incidentSuite("Node", startBroker)
