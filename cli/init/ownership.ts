import * as z from "zod"
import { get, objectIn } from "../doctor/ask.ts"
import type { CliIo } from "../io.ts"

/**
 * Whose broker answers at a URL. `ours`: it decides by the very policies of the folder. `absent`: none answers. `unknown`:
 * another one does, or ours with other policies.
 *
 * A job sends its token to this URL and uses what comes back. So init never leads to a broker that somebody else runs.
 */
export type Ownership = "ours" | "absent" | "unknown"

const health = z.object({ policies: z.object({ version: z.string().nullable() }) })

/** `versions`: those that the folder's policies have; empty when there are none yet. */
export async function ownershipOf(
  url: string,
  versions: readonly string[],
  io: Pick<CliIo, "http" | "now">,
): Promise<Ownership> {
  const got = await get(`${url}/healthz`, io)
  if (!got.ok) return "absent"
  const parsed = health.safeParse(objectIn(got.value.response))
  if (!parsed.success) return "absent"
  const { version } = parsed.data.policies
  return version !== null && versions.includes(version) ? "ours" : "unknown"
}
