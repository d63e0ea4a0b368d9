import type { Log } from "../../ports/log.ts"
import type { Sql } from "../../ports/sql.ts"
import type { LedgerKey } from "../ledger/rows.ts"
import { readMark, writeMark } from "../sqlite/marks.ts"
import { acceptTokensFrom } from "../sqlite/store-row.ts"
import type { Meeting } from "./guards.ts"

const BORN = "born"
const MET = "met"
const NEW = "new"
const OLDER = "older"

/**
 * The birth of this object's storage: a random text, made once; null when the object has met the guards. Call it inside a
 * transaction, before anything else is written.
 *
 * An object's id is made of the Worker's name, the class, the jurisdiction and the ledger's name. With another one of
 * those, the same unit gets an empty object, in which no token was ever used.
 */
export function birthOf(sql: Sql): string | null {
  if (readMark(sql, MET) !== null) return null
  const known = readMark(sql, BORN)
  if (known !== null) return known
  const isEmpty = sql.all("SELECT id FROM ledgers LIMIT 1").length === 0
  const birth = `${isEmpty ? NEW : OLDER} ${crypto.randomUUID()}`
  writeMark(sql, BORN, birth)
  return birth
}

/**
 * Takes in what the guards say, inside a transaction. A replacement refuses tokens that were issued before now. A new
 * ledger refuses tokens from before the guards began: they may have been used in a deployment that was replaced as a whole.
 */
export function settleBirth(sql: Sql, birth: string, { isReplacement, since }: Meeting, now: number): void {
  if (isReplacement) acceptTokensFrom(sql, Math.ceil(now / 1000) + ISSUER_AHEAD_SECONDS)
  else if (birth.startsWith(NEW)) acceptTokensFrom(sql, Math.floor(since / 1000))
  writeMark(sql, MET, birth)
}

/** How far an issuer's clock may be ahead: a token that was used before may say that it was issued this much later. */
const ISSUER_AHEAD_SECONDS = 60

export function tellReplacement(key: LedgerKey, log: Log): void {
  log({
    event: "ledger.replaced",
    detail:
      "An empty ledger took the place of the one that this unit had. Its used tokens, open leases and records are not here, so tokens that were issued before now are refused. Was the Worker's name or its class changed?",
    issuer: key.issuerUrl,
    unit_id: key.unitId,
  })
}
