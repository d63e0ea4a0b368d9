import { type LeaseState, RecordSearch } from "../../../analysis/records/search.ts"
import { impossible, misused, readArguments } from "../../arguments.ts"
import { printJson } from "../../format.ts"
import { inert } from "../../inert.ts"
import { type CliIo, EXIT } from "../../io.ts"
import { RecordFault } from "../../record/lines.ts"
import { eachRecord } from "../../record/source.ts"
import { isWithin, WINDOW_OPTIONS, windowOf } from "../../record/window.ts"
import { linesOfFound, linesOfLeases, stateOf } from "./print.ts"
import { type Reach, ReachOf } from "./reach.ts"
import { TERM_OPTIONS, termsOf } from "./terms.ts"

const USAGE = `Usage: daypass audit search FILE [--unit NAME] [--unit-id ID] [--owner NAME] [--actor NAME] [--actor-id ID]
                       [--grant NAME] [--connection NAME] [--resource TEXT] [--code CODE] [--event EVENT]
                       [--lease ID] [--run ID] [--request-id ID] [--since TIME] [--until TIME] [--limit NUMBER]
                       [--value -] [--reach [--policies DIR]] [--json]

Finds records, the newest first. All that is given must be in the record, as a whole text. FILE is an export of daypass audit
export, or - for standard input. TIME is 90d, 12h or 2026-11-01.
--value - reads a value from standard input, such as a leaked token, and finds the lease that gave it: only its hash is compared.
--reach, with --actor-id, says what that person's runs got, and with --policies what the same units can still get.
Exit codes: 0 something was found, 1 nothing was found, 2 the arguments are wrong, or something cannot be read.`

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

/** `daypass audit search`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = {
    ...WINDOW_OPTIONS,
    ...TERM_OPTIONS,
    limit: { type: "string" },
    reach: { type: "boolean" },
    policies: { type: "string" },
    json: { type: "boolean" },
  } as const
  const read = readArguments(args, USAGE, options, io)
  if (typeof read === "number") return read
  const [file = "", ...others] = read.positionals
  if (file === "" || others.length > 0) return misused("audit search takes one file", USAGE, io)
  const { limit: wanted, value, json, policies: folder } = read.options
  const limit = wanted === undefined ? DEFAULT_LIMIT : Number(wanted)
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT)) {
    return misused(`--limit is a number from 1 to ${MAX_LIMIT}`, USAGE, io)
  }
  const window = windowOf(read.options, io.now())
  if (typeof window === "string") return misused(window, USAGE, io)
  const fault = reachFault(read.options)
  if (fault !== null) return misused(fault, USAGE, io)
  if (file === "-" && value !== undefined) return misused("--value reads standard input, so name a file", USAGE, io)
  const terms = await termsOf(read.options, io)
  if (typeof terms === "string") return misused(terms, USAGE, io)
  const reaching = read.options["reach"] === true ? ReachOf.person(terms.actor_id ?? "", folder) : null
  if (typeof reaching === "string") return impossible(reaching, io)

  const search = new RecordSearch(terms, limit)
  try {
    // All of it: an end of a lease can be after the searched time.
    await eachRecord(file, { since: null, until: null }, io, (filed) => {
      const isAsked = isWithin(filed.record.at, window)
      search.add(filed, isAsked)
      if (isAsked) reaching?.add(filed)
    })
  } catch (error) {
    if (error instanceof RecordFault) return impossible(error.message, io)
    throw error
  }
  const reach = reaching?.reach() ?? null
  if (json === true) printJson(jsonOf(search, reach, io.now()), io)
  else for (const line of linesOf(search, reach, value !== undefined, io.now())) io.out(inert(line))
  return search.matches > 0 ? EXIT.ok : EXIT.no
}

function reachFault({ reach, policies, "actor-id": actorId }: Readonly<Record<string, unknown>>): string | null {
  if (reach === true && actorId === undefined) return "--reach needs --actor-id: names can be taken over, ids cannot"
  return policies !== undefined && reach !== true ? "--policies belongs to --reach" : null
}

function linesOf(search: RecordSearch, reach: Reach | null, isValue: boolean, now: Date): readonly string[] {
  const { found, leases, matches } = search
  if (matches === 0) return [isValue ? NO_VALUE : "No record has all of that."]
  const more =
    matches > found.length
      ? [`${matches} records match; the newest ${found.length} are above. --limit shows more.`]
      : []
  return [
    ...(isValue ? linesOfLeases(leases, now) : linesOfFound(found)),
    ...(isValue ? [] : more),
    ...(reach === null ? [] : ["", ...reach.lines]),
  ]
}

const NO_VALUE =
  "No record of a lease has this value. Only tokens that the broker minted, or a provider for a job, have a fingerprint; what a store keeps has none."

const jsonOf = ({ found, leases, matches }: RecordSearch, reach: Reach | null, now: Date) => ({
  matches,
  found: found.map(({ ledger, record: { complete: _, ...record }, leaf }) => ({ ...ledger, leaf, record })),
  leases: leases.map((lease: LeaseState) => ({ ...lease, state: stateOf(lease, now) })),
  ...(reach && { reach: reach.json }),
})
