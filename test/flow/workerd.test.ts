import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { flowSuite } from "./flow.suite.ts"
import { incidentSuite } from "./incident.suite.ts"
import { limitsSuite } from "./limits.suite.ts"
import { policySuite } from "./policy.suite.ts"
import { vendorsSuite } from "./vendors.suite.ts"
import type { StartBroker } from "./world.ts"

const startBroker: StartBroker = async (options) => {
  const broker = await startWorkerdBroker(options)
  return {
    url: broker.url,
    output: () => broker.output(),
    // In memory alone, in tests.
    stored: () => "",
    trail: (issuer, repositoryId) => broker.auditTrail(issuer, repositoryId),
    advance: broker.advance,
    stop: () => broker.stop(),
  }
}

flowSuite("workerd", startBroker)
limitsSuite("workerd", startBroker)
policySuite("workerd", startBroker)
vendorsSuite("workerd", startBroker)
incidentSuite("workerd", startBroker)
