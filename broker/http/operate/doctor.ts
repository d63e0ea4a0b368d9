import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { parseWith } from "../../core/parse-with.ts"
import { askOtherSide, connectionsToAsk } from "../../operate/doctor.ts"
import { DOCTOR_PATH } from "../../wire/doctor.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import type { OperateRoutes } from "./routing.ts"

const question = z.strictObject({ connection: z.string().min(1).max(256) })

/** `/v1/operate/doctor`: whether the other sides of connections trust the broker, by asking them. Right: `policies.read`. */
export const doctorRoutes: OperateRoutes = ({ app, act, broker }) => {
  app.get(DOCTOR_PATH, async (context) => {
    return Response.json(await connectionsToAsk(await act(context, "policies.read"), broker))
  })

  app.post(DOCTOR_PATH, async (context) => {
    const by = await act(context, "policies.read")
    const asked = parseWith(question, await readJson(incomingOf(context.req.raw)))
    if (!asked.success) {
      throw new BrokerError("request_malformed", "The body must be a JSON object with connection and no other member.")
    }
    return Response.json(await askOtherSide(asked.data.connection, by, broker))
  })
}
