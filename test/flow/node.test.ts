import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { flowSuite } from "./flow.suite.ts"
import { trailFromExport } from "./trail.ts"

flowSuite("Node", async ({ policies }) => {
  const broker = await startNodeBroker({ policies })
  return {
    url: broker.url,
    output: () => broker.stdout() + broker.stderr(),
    trail: async (issuer, repositoryId) => trailFromExport(readAuditTrail(broker.data), issuer, repositoryId),
    stop: () => broker.stop(),
  }
})
