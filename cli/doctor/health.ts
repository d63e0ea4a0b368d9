import * as z from "zod"
import { counted } from "../format.ts"
import type { CliIo } from "../io.ts"
import { get, objectIn } from "./ask.ts"
import { type DoctorFinding, findingsFor } from "./finding.ts"

const part = z.object({
  state: z.enum(["ok", "degraded", "unavailable"]),
  reason: z.string().optional(),
  note: z.string().optional(),
})
const health = z.object({
  policies: z.object({
    version: z.string().nullable(),
    policies: z.int(),
    loaded_at: z.string().nullable(),
    stale: z.object({ since: z.string(), faults: z.int() }).optional(),
  }),
  parts: z.record(z.string(), part),
})

/** Each part of `/healthz`, and the policies in force. `versions`: those of the folder they should be; empty: not compared. */
export async function healthFindings(
  broker: string,
  versions: readonly string[],
  io: CliIo,
): Promise<readonly DoctorFinding[]> {
  const got = await get(`${broker}/healthz`, io)
  if (!got.ok) return [findingsFor("health").fix(`/healthz ${got.fault}.`)]
  const { response } = got.value
  const parsed = health.safeParse(objectIn(response))
  if (!parsed.success) {
    return [findingsFor("health").fix(`/healthz answers HTTP ${response.status}, and not as a broker of this version.`)]
  }
  const { policies, parts } = parsed.data
  return [
    ...Object.entries(parts).map(([name, state]) => partFinding(name, state)),
    policiesFinding(policies, versions),
  ]
}

function partFinding(name: string, { state, reason, note: told }: z.output<typeof part>): DoctorFinding {
  const { ok, note, fix } = findingsFor(`health: ${name}`)
  if (state !== "ok") return fix(`${state}: ${reason ?? "the broker's log says why"}`)
  return told === undefined ? ok("ok") : note(told)
}

type Policies = z.output<typeof health>["policies"]

function policiesFinding(
  { version, policies, loaded_at: at, stale }: Policies,
  wanted: readonly string[],
): DoctorFinding {
  const { ok, fix } = findingsFor("policies")
  if (version === null) return fix("No policies are in force, so every job is refused. The broker's log says why.")
  const inForce = `${counted(policies, "policy", "policies")}, version ${short(version)}, loaded at ${at ?? "an unknown time"}`
  if (stale !== undefined) {
    const why = stale.faults > 0 ? `the newer ones have ${counted(stale.faults, "error")}: run daypass check` : STORE
    return fix(`${inForce}, are in force, and may be old since ${stale.since}: ${why}.`)
  }
  const [own] = wanted
  if (own === undefined) return ok(`${inForce}.`)
  if (wanted.includes(version)) return ok(`${inForce}: those of the folder.`)
  return fix(`${inForce}, are in force, and the folder has version ${short(own)}. Publish the folder, or update it.`)
}

const STORE = "their source does not confirm them"

/** As logs and the record show it, which is enough to compare by eye. */
const short = (version: string): string => version.slice(0, 16)
