import { deploymentGauges } from "../../operate/deployment-gauges.ts"
import { brokersGauges } from "../../operate/gauges.ts"
import { MEDIA_TYPE_METRICS, metricsText } from "../../operate/metrics.ts"
import type { OperateRoutes } from "./routing.ts"

/** `GET /metrics`: counters and gauges for Prometheus, without the name of any unit. Right: `metrics.read`. */
export const metricsRoutes: OperateRoutes = ({ app, act, counts, gauges, ...deployment }) => {
  const sources = [brokersGauges(deployment.broker), ...deploymentGauges(deployment), ...gauges]
  app.get("/metrics", async (context) => {
    await act(context, "metrics.read")
    const [counted, ...read] = await Promise.all([counts(), ...sources.map((source) => source().catch(() => []))])
    return new Response(metricsText(counted, read.flat()), { headers: { "content-type": MEDIA_TYPE_METRICS } })
  })
}
