import { BrokerError } from "../core/errors.ts"
import type { OperatorScope } from "../core/operator-rights.ts"
import { covers, isWhole, partsOf } from "../core/operator-scope.ts"
import { didYouMean, quote } from "../core/policy/faults.ts"
import type { IssuerConfig, Organisation } from "../core/policy/model.ts"
import type { Stop, StopScope } from "../core/stops.ts"
import type { Directory, LedgerEntry } from "../ports/directory.ts"
import type { StopTarget } from "../wire/stops.ts"
import { outOfSight } from "./operator.ts"

/** What is known of the names that operators write. */
export interface Names {
  readonly organisation: Organisation
  readonly directory: Directory
}

/** A scope, and whose it is where that is known. */
interface Named {
  readonly scope: StopScope
  /** Of a unit: its owner's id; null while it is not known. */
  readonly ownerId?: string | null
}

/** A directory has thousands of units. A look through all of them is for somebody who knows a name only. */
const UNITS_AT_ONCE = 1000

/**
 * Finds what an operator's words mean, with the ids that decide. What does not exist is refused: a stop that was misspelt would
 * look as if it helped.
 *
 * @throws {BrokerError} `request_malformed`; `not_allowed` for what is outside of the operator's scope, and for an operator of
 *   a part also for what does not exist
 */
export async function stopScopeOf(
  target: StopTarget,
  held: OperatorScope,
  names: Names,
  purpose: "stop" | "lift" = "stop",
): Promise<StopScope> {
  const hidden = outOfSight(target.on)
  const named = await find(target, names, purpose).catch((error: unknown) => {
    throw isWhole(held) ? error : hidden
  })
  if (!mayReach(named, held, names.organisation)) throw hidden
  return named.scope
}

/** The stops that an operator's scope covers. While the directory cannot be read, no owner of a unit is known. */
export async function stopsSeen(
  stops: readonly Stop[],
  held: OperatorScope,
  { organisation, directory }: Names,
): Promise<readonly Stop[]> {
  const seen = await Promise.all(
    stops.map(async (stop) => {
      const { issuer, id, on } = stop
      const ofUnit = issuer !== undefined && id !== undefined && on !== "owner"
      const unit = ofUnit ? await directory.entry({ issuerUrl: issuer, unitId: id }).catch(() => null) : null
      return mayReach({ scope: stop, ownerId: unit?.ownerId ?? null }, held, organisation)
    }),
  )
  return stops.filter((_, at) => seen[at])
}

/** Whether an operator's scope covers all that a stop concerns. */
function mayReach({ scope, ownerId }: Named, held: OperatorScope, { issuers }: Organisation): boolean {
  const { on, issuer = "", id = "", name = "" } = scope
  if (isWhole(held)) return true
  if (on === "all" || on === "issuer") return false
  const { owners, units, connections } = held
  const isEverywhere = owners === undefined && units === undefined
  if (on === "connection") return isEverywhere && (connections?.includes(name) ?? true)
  // A grant of all units, or through any connection, is more than a part.
  if (id === "" || connections !== undefined) return false
  // No unit and no owner has the empty id.
  const target = on === "owner" ? { ownerId: id, unitId: "" } : { ownerId: ownerId ?? "", unitId: id }
  return covers(held, { issuerUrl: issuer, ...target }, issuers)
}

async function find({ on, name = "", unit }: StopTarget, names: Names, purpose: "stop" | "lift"): Promise<Named> {
  const { issuers, connections } = names.organisation
  if (unit !== undefined && on !== "grant")
    throw malformed(`Only a grant can be stopped of one unit, not ${article(on)}.`)
  if (on === "all") {
    if (name !== "") throw malformed("all takes no name.")
    return { scope: { on } }
  }
  if (name === "") throw malformed(`Name the ${on} to stop.`)
  if (on === "issuer") {
    const found = issuerOf(name, issuers)
    return { scope: { on, issuer: found.url, name: found.name } }
  }
  if (on === "connection") {
    // Its stop is lifted also when the organisation file has it no more.
    if (purpose === "stop" && !connections.has(name)) throw unknown(on, name, connections.keys())
    return { scope: { on, name } }
  }
  if (on === "grant") {
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(name))
      throw malformed("A grant's name has lower-case letters, digits and dashes.")
    if (unit === undefined) return { scope: { on, name } }
    const found = await unitOf(unit, names)
    const { issuer, id, name: unitName } = found.scope
    return { ...found, scope: { on, name, ...{ issuer, id }, unit: unitName } as StopScope }
  }
  return on === "owner" ? { scope: ownerOf(name, issuers) } : await unitOf(name, names)
}

function ownerOf(text: string, issuers: Organisation["issuers"]): StopScope {
  const [issuer, word] = split(text, issuers)
  for (const [name, id] of issuer.owners) {
    if (id === word || name === word) return { on: "owner", issuer: issuer.url, id, name }
  }
  throw unknown("owner", word, issuer.owners.keys())
}

async function unitOf(text: string, { organisation, directory }: Names): Promise<Named> {
  const [issuer, word] = split(text, organisation.issuers)
  // Ids have no slash, and names of repositories have one.
  const mayBeId = !word.includes("/")
  const found = await seenUnit(word, issuer, directory).catch((error: unknown) => {
    // A directory that is lost must not keep a unit from being stopped by its id.
    if (mayBeId && error instanceof BrokerError && error.code === "ledger_unavailable") return null
    throw error
  })
  if (found !== null) {
    const { unitId: id, unit, ownerId } = found
    return { scope: { on: "unit", issuer: issuer.url, id, name: unit ?? id }, ownerId }
  }
  if (!mayBeId) throw malformed(`No unit named ${quote(word)} was ever seen at ${issuer.name}. Name it by its id.`)
  // It can be stopped before its first job.
  return { scope: { on: "unit", issuer: issuer.url, id: word, name: word }, ownerId: null }
}

const seenUnit = async (word: string, issuer: IssuerConfig, directory: Directory): Promise<LedgerEntry | null> =>
  (await directory.entry({ issuerUrl: issuer.url, unitId: word })) ?? (await unitByName(word, issuer, directory))

/** The unit that has this name by its last record. */
async function unitByName(name: string, issuer: IssuerConfig, directory: Directory): Promise<LedgerEntry | null> {
  const found: LedgerEntry[] = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<Directory["list"]>> = await directory.list({
      ...(after === null ? {} : { after }),
      limit: UNITS_AT_ONCE,
    })
    found.push(...page.ledgers.filter(({ issuerUrl, unit }) => issuerUrl === issuer.url && unit === name))
    after = page.next
  } while (after !== null)
  if (found.length <= 1) return found[0] ?? null
  const ids = found.map(({ unitId }) => unitId).join(", ")
  throw malformed(`Several units have had the name ${quote(name)}: name one by its id (${ids}).`)
}

function split(text: string, issuers: Organisation["issuers"]): readonly [IssuerConfig, string] {
  const { issuer, id: word } = partsOf(text)
  if (issuer === "" || word === "")
    throw malformed("Write ISSUER:ID or ISSUER:NAME, for example github:41 or github:acme/shop.")
  return [issuerOf(issuer, issuers), word]
}

function issuerOf(name: string, issuers: Organisation["issuers"]): IssuerConfig {
  const found = issuers.get(name)
  if (found === undefined) throw unknown("issuer", name, issuers.keys())
  return found
}

const article = (on: string) => (on === "all" ? "everything" : `${/^[aeiou]/.test(on) ? "an" : "a"} ${on}`)

function unknown(on: string, name: string, known: Iterable<string>): BrokerError {
  const names = [...known]
  return malformed(
    `The organisation file has no ${on} ${quote(name)}.${didYouMean(name, names) || ` It has: ${names.slice(0, 20).join(", ")}.`}`,
  )
}

const malformed = (detail: string) => new BrokerError("request_malformed", detail)
