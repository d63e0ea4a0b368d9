import * as z from "zod"
import { followed } from "../../operate/followed.ts"
import { leaseAnswer, leaseFor, revokeLease } from "../../operate/leases.ts"
import { readReason } from "../../operate/stops.ts"
import { LEASES_PATH } from "../../wire/leases.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import { leaseOf } from "../request.ts"
import { read } from "./read.ts"
import type { OperateRoutes } from "./routing.ts"

const ending = z.strictObject({ reason: z.string() })

/** `GET /v1/operate/leases/{id}`: the right `leases.read`. `POST .../revoke`: `leases.revoke`. Each within the operator's scope. */
export const leaseRoutes: OperateRoutes = ({ app, act, broker, index, sweepSoon }) => {
  const desk = () => ({ broker, index: followed(index), ...(sweepSoon && { sweepSoon }) })

  app.get(`${LEASES_PATH}/:id`, async (context) => {
    const { operator } = await act(context, "leases.read")
    const id = leaseOf(context.req.param("id"))
    return Response.json(leaseAnswer(id, await leaseFor(id, operator, desk())))
  })

  app.post(`${LEASES_PATH}/:id/revoke`, async (context) => {
    const by = await act(context, "leases.revoke")
    const id = leaseOf(context.req.param("id"))
    const { reason } = read(ending, await readJson(incomingOf(context.req.raw)))
    return Response.json(await revokeLease(id, readReason(reason), by, desk()))
  })
}
