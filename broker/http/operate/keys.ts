import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { parseWith } from "../../core/parse-with.ts"
import { listKeys, requireWholeScope, reseal, ringPortsOf } from "../../operate/keys.ts"
import { walkHandles } from "../../operate/sealed-handles.ts"
import type { Directory } from "../../ports/directory.ts"
import { replaceAll, retireKey, rotate } from "../../signing/rotation.ts"
import { KEYS_PATH, type RotationReport } from "../../wire/keys.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
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
    return Response.json(await walkHandles({ ...broker, directory: found(directory) }, after, false))
  })

  app.post(`${KEYS_PATH}/rotate`, async (context) => {
    const acting = await act(context, "keys.rotate")
    requireWholeScope(acting)
    const { now = false } = await bodyOf(context.req.raw, rotateBody, "now")
    const { outcome, kid, signsFrom } = await (now ? replaceAll : rotate)(ringPortsOf(acting, broker, keys))
    return Response.json({ outcome, kid, signs_from: signsFrom.toISOString() } satisfies RotationReport)
  })

  app.post(`${KEYS_PATH}/retire`, async (context) => {
    const acting = await act(context, "keys.rotate")
    requireWholeScope(acting)
    const { kid } = await bodyOf(context.req.raw, retireBody, "kid")
    await retireKey(ringPortsOf(acting, broker, keys), kid)
    return Response.json({ kid })
  })

  app.post(`${KEYS_PATH}/reseal`, async (context) => {
    const acting = await act(context, "keys.rotate")
    requireWholeScope(acting)
    const { after = null } = await bodyOf(context.req.raw, resealBody, "after")
    return Response.json(await reseal(acting, broker, { ...keys, directory: found(directory) }, after))
  })
}

function found(directory: Directory | undefined): Directory {
  if (directory) return directory
  throw new BrokerError(
    "ledger_unavailable",
    "The directory of ledgers cannot be read, so open leases cannot be found.",
  )
}

async function bodyOf<Body extends z.ZodType>(request: Request, form: Body, member: string): Promise<z.output<Body>> {
  const parsed = parseWith(form, await readJson(incomingOf(request)))
  if (parsed.success) return parsed.data
  throw new BrokerError("request_malformed", `The body must be a JSON object with no other member than ${member}.`)
}
