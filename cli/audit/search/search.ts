import { RecordSearch, type SearchTerms } from "../../../analysis/records/search.ts"
import { impossible, misused } from "../../arguments.ts"
import type { Options } from "../../exec/options.ts"
import { counted, printJson } from "../../format.ts"
import { inert } from "../../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../../io.ts"
import { openOperator } from "../../operate/client.ts"
import { eachRecord, isBroker, placeOf, signInOptions, unreadable } from "../../record/source.ts"
import { isWithin, type Window, windowOf } from "../../record/window.ts"
import { searchBroker } from "./from-broker.ts"
import { linesOfFound, linesOfLeases, stateOf } from "./print.ts"
import type { ReachOf } from "./reach.ts"
import { type Revoked, revokeLeases } from "./revoke.ts"
import { termsOf } from "./terms.ts"

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

/** `daypass audit search`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const { options } = given
  const from = placeOf(given, io)
  if (from === null) return misused("audit search takes one file, or --broker")
  const limit = options["limit"] === undefined ? DEFAULT_LIMIT : Number(options["limit"])
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT)) {
    return misused(`--limit is a number from 1 to ${MAX_LIMIT}`)
  }
  const window = windowOf(options, io.now())
  if (typeof window === "string") return misused(window)
  const fault = faultOf(from, options)
  if (fault !== null) return misused(fault)
  const terms = await termsOf(options, io)
  if (typeof terms === "string") return misused(terms)
  const reaching = options["reach"] === true ? await reachOf(terms.actor_id ?? "", options["policies"]) : null
  if (typeof reaching === "string") return impossible(reaching, io)
  try {
    const wanted: Wanted = { from, terms, limit, window, reaching, options }
    return await (isBroker(from) ? atBroker(wanted, io) : inFile(wanted, io))
  } catch (error) {
    return unreadable(error, io)
  }
}

/** Loaded with its first use: no other search needs policies. */
const reachOf = async (actorId: string, folder: unknown): Promise<ReachOf | string> =>
  (await import("./reach.ts")).ReachOf.person(actorId, folder)

interface Wanted {
  readonly from: string
  readonly terms: SearchTerms
  readonly limit: number
  readonly window: Window
  readonly reaching: ReachOf | null
  readonly options: Options
}

async function inFile(wanted: Wanted, io: CliIo): Promise<number> {
  const { from, terms, limit, window, reaching, options } = wanted
  const search = new RecordSearch(terms, limit)
  // All of it: an end of a lease can be after the searched time.
  await eachRecord({ from, options }, { since: null, until: null }, io, (filed) => {
    const isAsked = isWithin(filed.record.at, window)
    search.add(filed, isAsked)
    if (isAsked) reaching?.add(filed)
  })
  return print(search, wanted, { revoked: null, archived: 0 }, io)
}

async function atBroker(wanted: Wanted, io: CliIo): Promise<number> {
  const { from, options, reaching } = wanted
  const client = await openOperator(signInOptions(from, options), io)
  // What ends leases, or says all that a person got, must not miss what is older than the printed records.
  const limit = reaching !== null || options["revoke"] === true ? Number.POSITIVE_INFINITY : wanted.limit
  const { search, archived } = await searchBroker(client, { ...wanted, limit }, (filed) => reaching?.add(filed))
  const revoked = options["revoke"] === true ? await revokeLeases(client, search, String(options["reason"]), io) : null
  return print(search, wanted, { revoked, archived }, io)
}

/** What is wrong with the options together. */
function faultOf(from: string, options: Options): string | null {
  const { reach, policies, value, revoke, reason, "actor-id": actorId } = options
  if (from === "-" && value !== undefined) return "--value reads standard input, so name a file or a broker"
  if (options["token-file"] === "-" && value !== undefined) return "--value and --token-file both read standard input"
  if (reach === true && actorId === undefined) return "--reach needs --actor-id: names can be taken over, ids cannot"
  if (policies !== undefined && reach !== true) return "--policies belongs to --reach"
  if (revoke !== true) return reason === undefined ? null : "--reason belongs to --revoke"
  if (!isBroker(from)) return "--revoke needs --broker"
  // Any other term could be a search for everybody, by mistake.
  if (value === undefined && actorId === undefined) return "--revoke needs --value or --actor-id"
  return typeof reason === "string" && reason.trim() !== "" ? null : "--revoke needs --reason: auditors read it"
}

/** What only a broker knows. */
interface FromBroker {
  readonly revoked: Revoked | null
  readonly archived: number
}

function print(
  search: RecordSearch,
  { options, reaching, limit }: Wanted,
  { revoked, archived }: FromBroker,
  io: CliIo,
): number {
  const { leases, matches } = search
  const found = search.found.slice(0, limit)
  const [now, isValue] = [io.now(), options["value"] !== undefined]
  const reach = reaching?.reach() ?? null
  if (options["json"] === true) {
    printJson(
      {
        matches,
        ...(archived > 0 && { archived }),
        found: found.map(({ ledger, record: { complete: _, ...record }, leaf }) => ({ ...ledger, leaf, record })),
        leases: leases.map((lease) => ({ ...lease, state: stateOf(lease, now) })),
        ...(reach && { reach: reach.json }),
        ...(revoked && { revoked }),
      },
      io,
    )
  } else {
    const none = isValue ? NO_VALUE : "No record has all of that."
    const more = `${matches} records match; the newest ${found.length} are above. --limit shows more.`
    const lines = [
      ...(matches === 0 ? [none] : isValue ? linesOfLeases(leases, now) : linesOfFound(found)),
      ...(matches > found.length && !isValue ? [more] : []),
      ...(archived === 0
        ? []
        : [`${counted(archived, "record", "records")} more, archived: search in an export, too.`]),
      ...(reach === null ? [] : ["", ...reach.lines]),
      ...(revoked === null ? [] : linesOfRevoked(revoked)),
    ]
    for (const line of lines) io.out(inert(line))
  }
  return matches > 0 && (revoked?.left ?? 0) === 0 ? EXIT.ok : EXIT.no
}

const linesOfRevoked = ({ revoking, left, expiring }: Revoked): readonly string[] => [
  revoking === 0
    ? "no lease that was found is to be revoked"
    : `${counted(revoking, "lease is", "leases are")} being revoked`,
  ...(left === 0 ? [] : [`${counted(left, "exchange is", "exchanges are")} still under way: search again in a minute`]),
  ...(expiring.leases === 0
    ? []
    : [
        `${counted(expiring.leases, "lease holds", "leases hold")} credentials that cannot be revoked, the last until ${expiring.until}`,
      ]),
]

const NO_VALUE =
  "No record of a lease has this value. Only tokens that the broker minted, or a provider for a job, have a fingerprint; what a store keeps has none."
