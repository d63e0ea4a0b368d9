import type { CountsHandover } from "../adapters/cloudflare/counts.ts"
import { followedAt } from "../adapters/cloudflare/directory.ts"
import { createCloudflareDocuments, createCloudflareKeyRing } from "../adapters/cloudflare/ledgers.ts"
import type { Broker } from "../exchange/broker.ts"
import type { OperateApp } from "../http/app.ts"
import type { Counts } from "../ports/metrics.ts"
import type { EdgeDeployment } from "./edge-deployment.ts"
import { createOperateApp } from "./operate-app.ts"

export interface EdgeCounts {
  /** What this isolate has counted. */
  read(): Counts
  /** Hands it over to the directory; absent without one. */
  readonly handover: CountsHandover | undefined
}

/** The operators' routes and pages at the edge. Where a directory is bound, it has what follows the record. */
export function createEdgeOperateApp(broker: Broker, deployment: EdgeDeployment, isolate: EdgeCounts): OperateApp {
  const { config, directory } = deployment
  const documents = createCloudflareDocuments(deployment.keyRing)
  const keys = { ...config, keyRing: createCloudflareKeyRing(deployment.keyRing), documents }
  const followed = directory && followedAt(directory)
  const counts = async () => {
    await isolate.handover?.now()
    return followed ? await followed.counted() : isolate.read()
  }
  return createOperateApp({ broker, keys, documents, ...followed, counts, gauges: [] }, config)
}
