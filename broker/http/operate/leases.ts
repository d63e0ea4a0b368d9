import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { parseWith } from "../../core/parse-with.ts"
import { leaseAnswer, leaseFor, revokeLease } from "../../operate/leases.ts"
import { readReason } from "../../operate/stops.ts"
import { LEASES_PATH } from "../../wire/leases.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import { leaseOf } from "../request.ts"
import type { OperateRoutes } from "./routing.ts"

const ending = z.strictObject({ reason: z.string() })

/** `GET /v1/operate/leases/{id}`: the right `leases.read`. `POST .../revoke`: `leases.revoke`. Each within the operator's scope. */
export const leaseRoutes: OperateRoutes = ({ app, act, broker, index, sweepSoon }) => {
  const desk = () => {
    if (!index)
      throw new BrokerError("configuration_invalid", "This broker does not follow its ledgers: see docs/audit.md.")
    return { broker, index, ...(sweepSoon && { sweepSoon }) }
  }

  app.get(`${LEASES_PATH}/:id`, async (context) => {
    const { operator } = await act(context, "leases.read")
    const id = leaseOf(context.req.param("id"))
    return Response.json(leaseAnswer(id, await leaseFor(id, operator, desk())))
  })

  app.post(`${LEASES_PATH}/:id/revoke`, async (context) => {
    const by = await act(context, "leases.revoke")
    const id = leaseOf(context.req.param("id"))
    const body = parseWith(ending, await readJson(incomingOf(context.req.raw)))
    if (!body.success) throw new BrokerError("request_malformed", "The body must be { reason: TEXT }.")
    return Response.json(await revokeLease(id, readReason(body.data.reason), by, desk()))
  })
}
