import { misused } from "../arguments.ts"
import type { Arguments, CliIo } from "../io.ts"
import type { GuidedOptions } from "./desk.ts"

/** Options of one form of the command alone. */
const SHORT_ALONE: ReadonlySet<string> = new Set(["format", "json", "connection"])
const BOTH: ReadonlySet<string> = new Set(["environment", "dir", "repository-id", "owner-id", "branch"])

/** `daypass init`: guided, or for a repository that is named, one more policy. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const isShort = given.positionals.length > 0
  const strange = [...Object.keys(given.options), ...Object.keys(given.repeated)].find(
    (name) => !BOTH.has(name) && SHORT_ALONE.has(name) !== isShort,
  )
  if (strange !== undefined) return misused(`--${strange} is for init ${isShort ? "without" : "with"} OWNER/REPO`)
  if (isShort) return (await import("./further-policy.ts")).writeFurtherPolicy(given, io)
  const { guided, ownTools } = await import("./guided.ts")
  return guided({ ...given.options, ...given.repeated } as GuidedOptions, io, ownTools(io))
}
