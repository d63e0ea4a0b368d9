import { printJson } from "../format.ts"
import { type CliIo, EXIT } from "../io.ts"
import { gather, PLAN_USAGE, refused } from "./plan/gather.ts"
import { planFor } from "./plan/plan.ts"
import { jsonOf, linesOf } from "./plan/words.ts"

const USAGE = `Usage: daypass migrate plan OWNER/REPO --environment NAME --broker URL --action SHA [...]

Shows how the jobs of one environment would get their credentials by policy: the policy file, the changed workflows as a patch,
and every place that stays as it is, with the reason. It writes nothing. daypass migrate apply does what it shows.
${PLAN_USAGE}
Exit codes: 0 done, 1 the policy folder has errors, 2 the arguments are wrong, or something cannot be read.`

/** `daypass migrate plan`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const gathered = await gather("plan", args, USAGE, io)
  if (typeof gathered === "number") return gathered
  const { wish, files, folder, loaded, json } = gathered
  const plan = planFor(wish, files, loaded)
  if (!plan.ok) return refused(plan.fault, folder, io)
  if (json) printJson(jsonOf(plan.value), io)
  else for (const line of linesOf(plan.value, folder)) io.out(line)
  return EXIT.ok
}
