import * as z from "zod"
import { type Stop, scopeText } from "../../core/stops.ts"
import { recordAct } from "../../operate/act.ts"
import { endLeases } from "../../operate/end-leases.ts"
import { NO_DIRECTORY } from "../../operate/followed.ts"
import { stopScopeOf, stopsSeen } from "../../operate/stop-scope.ts"
import { liftStop, orderStop, readReason, storedStops } from "../../operate/stops.ts"
import {
  END_LEASES_PATH,
  type EndLeasesAnswer,
  STOP_KINDS,
  STOPS_PATH,
  type StopAnswer,
  type StopsAnswer,
} from "../../wire/stops.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import { read } from "./read.ts"
import type { OperateRoutes } from "./routing.ts"

const word = z.string().min(1).max(300)
const target = { on: z.enum(STOP_KINDS), name: word.exactOptional(), unit: word.exactOptional() }
// How long it may be is said by the code that makes it fit for a log.
const reason = z.string().max(4000)
const order = z.strictObject({ ...target, reason, for: word.exactOptional() })
const lifting = z.strictObject({ ...target, reason })
const ending = z.strictObject({
  ...target,
  reason,
  since: z.iso.datetime(),
  after: z.string().max(2000).exactOptional(),
})

/**
 * Routes of stops. `GET /v1/operate/stops` needs a right to read, whichever; `POST` and `DELETE` need `stop`;
 * `POST /v1/operate/leases/end` needs `leases.revoke`. An operator sees and changes only what the scope covers.
 */
export const stopRoutes: OperateRoutes = ({ app, act, broker, documents, directory = NO_DIRECTORY, sweepSoon }) => {
  const office = { broker, documents }
  const names = async () => ({ organisation: (await broker.policySource.snapshot()).organisation, directory })

  app.get(STOPS_PATH, async (context) => {
    const { operator } = await act(context, "stop", "audit.read", "leases.read", "policies.read")
    const stops = await stopsSeen(await storedStops(office), operator.scope, await names())
    return Response.json({ stops: stops.map(answerOf) } satisfies StopsAnswer)
  })

  app.post(STOPS_PATH, async (context) => {
    const by = await act(context, "stop")
    const { reason: why, for: lasts, ...words } = read(order, await readJson(incomingOf(context.req.raw)))
    const scope = await stopScopeOf(words, by.operator.scope, await names())
    const stop = await orderStop({ scope, reason: why, ...(lasts !== undefined && { for: lasts }) }, by, office)
    return Response.json(answerOf(stop))
  })

  app.delete(STOPS_PATH, async (context) => {
    const by = await act(context, "stop")
    const { reason: why, ...words } = read(lifting, context.req.query())
    const scope = await stopScopeOf(words, by.operator.scope, await names(), "lift")
    await liftStop(scope, why, by, office)
    return Response.json({ scope: scopeText(scope) })
  })

  app.post(END_LEASES_PATH, async (context) => {
    const by = await act(context, "leases.revoke")
    const { reason: why, since, after = null, ...words } = read(ending, await readJson(incomingOf(context.req.raw)))
    const scope = await stopScopeOf(words, by.operator.scope, await names())
    const wanted = { scope, reason: readReason(why), requestId: by.requestId, since: Date.parse(since), after }
    // Also for a further page: only the caller says that there was a first one.
    await recordAct(by, `end leases: ${scopeText(scope)}: ${wanted.reason}`, broker)
    const answer: EndLeasesAnswer = await endLeases(wanted, { broker, directory, ...(sweepSoon && { sweepSoon }) })
    return Response.json(answer)
  })
}

const answerOf = (stop: Stop): StopAnswer => {
  const { reason: why, by, at, until } = stop
  return { scope: scopeText(stop), reason: why, by, at, until }
}
