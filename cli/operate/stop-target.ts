import { STOP_KINDS, type StopTarget } from "../../broker/wire/stops.ts"
import type { Options } from "../exec/options.ts"

/** What to stop or to resume, or what is wrong with the words. The broker knows which names exist. */
export function readTarget([on = "", name, ...more]: readonly string[], options: Options): StopTarget | string {
  const kind = STOP_KINDS.find((known) => known === on)
  const { reason, unit } = options
  if (kind === undefined) return `name one of ${STOP_KINDS.join(", ")}`
  if (more.length > 0 || (kind === "all" && name !== undefined)) return "there are too many names"
  if (kind !== "all" && (name === undefined || name === "")) return `name the ${kind}`
  if (unit !== undefined && kind !== "grant") return "--unit goes with grant only"
  if (typeof reason !== "string" || reason.trim() === "") return "--reason is required: jobs and auditors read it"
  return { on: kind, ...(name === undefined ? {} : { name }), ...(typeof unit === "string" ? { unit } : {}) }
}
