import * as z from "zod"
import { followed } from "../../operate/followed.ts"
import { listKeys, requireWholeScope, reseal, ringPortsOf } from "../../operate/keys.ts"
import { walkHandles } from "../../operate/sealed-handles.ts"
import { replaceAll, retireKey, rotate } from "../../signing/rotation.ts"
import { KEYS_PATH, type RotationReport } from "../../wire/keys.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import { read } from "./read.ts"
import type { OperateRoutes } from "./routing.ts"

const rotateBody = z.strictObject({ now: z.boolean().optional() })
const retireBody = z.strictObject({ kid: z.string().min(1).max(128) })
const resealBody = z.strictObject({ after: z.string().max(2048).nullable().optional() })

/**
 * `/v1/operate/keys`: the deployment's signing keys, and what is sealed under its key. Right: `keys.rotate`; every change needs
 * a grant for the whole deployment.
 */
export const keyRoutes: OperateRoutes = ({ app, act, broker, keys, directory }) => {
  app.get(KEYS_PATH, async (context) => {
    await act(context, "keys.rotate")
    return Response.json(await listKeys(broker, keys))
  })

  app.get(`${KEYS_PATH}/handles`, async (context) => {
    requireWholeScope(await act(context, "keys.rotate"))
    const after = context.req.query("after") ?? null
    return Response.json(await walkHandles({ ...broker, directory: followed(directory) }, after, false))
  })

  app.post(`${KEYS_PATH}/rotate`, async (context) => {
    const acting = await act(context, "keys.rotate")
    requireWholeScope(acting)
    const { now = false } = read(rotateBody, await readJson(incomingOf(context.req.raw)))
    const { outcome, kid, signsFrom } = await (now ? replaceAll : rotate)(ringPortsOf(acting, broker, keys))
    return Response.json({ outcome, kid, signs_from: signsFrom.toISOString() } satisfies RotationReport)
  })

  app.post(`${KEYS_PATH}/retire`, async (context) => {
    const acting = await act(context, "keys.rotate")
    requireWholeScope(acting)
    const { kid } = read(retireBody, await readJson(incomingOf(context.req.raw)))
    await retireKey(ringPortsOf(acting, broker, keys), kid)
    return Response.json({ kid })
  })

  app.post(`${KEYS_PATH}/reseal`, async (context) => {
    const acting = await act(context, "keys.rotate")
    requireWholeScope(acting)
    const { after = null } = read(resealBody, await readJson(incomingOf(context.req.raw)))
    return Response.json(await reseal(acting, broker, { ...keys, directory: followed(directory) }, after))
  })
}
