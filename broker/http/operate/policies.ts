import type { OperateRoutes } from "./routing.ts"

/** `GET /v1/operate/policies`: which policies are in force, since when, and whether they may be old. Right: `policies.read`. */
export const policyRoutes: OperateRoutes = ({ app, act, broker }) => {
  app.get("/v1/operate/policies", async (context) => {
    await act(context, "policies.read")
    await broker.policySource.snapshot().catch(() => null)
    return Response.json(broker.policySource.status())
  })
}
