import { printJson } from "../format.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { gather, refused } from "./plan/gather.ts"
import { planFor } from "./plan/plan.ts"
import { jsonOf, linesOf } from "./plan/words.ts"

/** `daypass migrate plan`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const gathered = await gather(given, io)
  if (typeof gathered === "number") return gathered
  const { wish, files, folder, loaded, json } = gathered
  const plan = planFor(wish, files, loaded)
  const place = { folder, broker: wish.broker }
  if (!plan.ok) return refused(plan.fault, folder, io)
  if (json) printJson(jsonOf(plan.value, place), io)
  else for (const line of linesOf(plan.value, place)) io.out(line)
  return EXIT.ok
}
