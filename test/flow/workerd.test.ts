import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { flowSuite } from "./flow.suite.ts"

flowSuite("workerd", async ({ policies }) => {
  const broker = await startWorkerdBroker({ policies })
  return {
    url: broker.url,
    output: () => broker.output(),
    trail: (issuer, repositoryId) => broker.auditTrail(issuer, repositoryId),
    stop: () => broker.stop(),
  }
})
