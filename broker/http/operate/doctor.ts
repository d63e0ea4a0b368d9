import * as z from "zod"
import { askOtherSide, connectionsToAsk } from "../../operate/doctor.ts"
import { DOCTOR_PATH } from "../../wire/doctor.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import { read } from "./read.ts"
import type { OperateRoutes } from "./routing.ts"

const question = z.strictObject({ connection: z.string().min(1).max(256) })

/** `/v1/operate/doctor`: whether the other sides of connections trust the broker, by asking them. Right: `policies.read`. */
export const doctorRoutes: OperateRoutes = ({ app, act, broker }) => {
  app.get(DOCTOR_PATH, async (context) => {
    return Response.json(await connectionsToAsk(await act(context, "policies.read"), broker))
  })

  app.post(DOCTOR_PATH, async (context) => {
    const by = await act(context, "policies.read")
    const { connection } = read(question, await readJson(incomingOf(context.req.raw)))
    return Response.json(await askOtherSide(connection, by, broker))
  })
}
