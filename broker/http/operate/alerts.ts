import { recordAct, requireWhole } from "../../operate/act.ts"
import { outOfSight } from "../../operate/operator.ts"
import { ALERTS_PATH, type AlertsAnswer, type TestAnswer, testPath } from "../../wire/alerts.ts"
import type { OperateRoutes } from "./routing.ts"

/**
 * What leaves the broker by itself, as the organisation file asks for it. `GET /v1/operate/alerts`, and
 * `POST /v1/operate/alerts/NAME/test`, which sends one message now. Right: `policies.read`, for the whole deployment: the URL of
 * an endpoint can be all that is needed to write to it.
 */
export const alertRoutes: OperateRoutes = ({ app, act, broker, outbound }) => {
  if (outbound === undefined) return
  app.get(ALERTS_PATH, async (context) => {
    requireWhole(await act(context, "policies.read"), hidden)
    const answer: AlertsAnswer = {
      alerts: (await outbound.endpoints()).map(({ name, url, waiting, state }) => ({
        name,
        url,
        waiting,
        off_since: timeOf(state?.offSince),
        failing_since: timeOf(state?.failingSince),
        delivered_at: timeOf(state?.deliveredAt),
        last_failure: state?.lastFailure ?? null,
      })),
      exports: (await outbound.exports()).map(({ name, kind, failingSince, lastFailure }) => ({
        name,
        kind,
        failing_since: failingSince,
        last_failure: lastFailure,
      })),
    }
    return Response.json(answer)
  })

  app.post(testPath(":name"), async (context) => {
    const by = await act(context, "policies.read")
    requireWhole(by, hidden)
    const name = context.req.param("name") ?? ""
    const known = await outbound.endpoints()
    if (!known.some((endpoint) => endpoint.name === name)) throw outOfSight("alert endpoint")
    await recordAct(by, `test the alert endpoint ${name}`, broker)
    const outcome = await outbound.test(name)
    if (outcome === null) throw outOfSight("alert endpoint")
    const { failure } = outcome
    return Response.json({ delivered: failure === null, failure } satisfies TestAnswer)
  })
}

const hidden = () => outOfSight("alert endpoint")

const timeOf = (ms: number | null | undefined): string | null => (ms == null ? null : new Date(ms).toISOString())
