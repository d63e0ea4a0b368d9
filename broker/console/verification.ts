import type { Context, Hono } from "hono"
import { exportRecord } from "../operate/export-record.ts"
import { lacks, outOfSight } from "../operate/operator.ts"
import type { Directory, LedgerEntry } from "../ports/directory.ts"
import { MEDIA_TYPE_LINES } from "../wire/record.ts"
import type { ConsoleEnv } from "./console-env.ts"
import { may } from "./rights.ts"
import { type ConsoleServices, ledgerOf, sees } from "./view.ts"

/**
 * Adds what the script of the verifying page reads: the record of one unit in parts, as `daypass audit export` gets it, and the proof
 * of its head. Each part is bounded, so that the length of a record makes no request long.
 */
export function addVerification(app: Hono<ConsoleEnv>, services: ConsoleServices): void {
  const { broker, checkpoints } = services

  app.get("/console/verify/export", async (context) => {
    const ledger = await askedLedger(context, services)
    const wanted = { includes: () => true, since: null, after: context.req.query("after") ?? null }
    let text = ""
    for await (const line of exportRecord(wanted, { directory: onlyOf(ledger), ledgers: broker.ledgers })) {
      text += `${line}\n`
    }
    return new Response(text, { headers: { "content-type": MEDIA_TYPE_LINES } })
  })

  /** Empty where no checkpoint has this ledger yet. */
  app.get("/console/verify/proof", async (context) => {
    const ledger = await askedLedger(context, services)
    return context.text((await checkpoints?.prove(ledger)) ?? "")
  })
}

async function askedLedger(context: Context<ConsoleEnv>, services: ConsoleServices): Promise<LedgerEntry> {
  const session = context.get("session")
  if (!may(session, "audit.read")) throw lacks("audit.read")
  const ledger = await ledgerOf({ session, services, query: new URL(context.req.url).searchParams })
  const { organisation } = await services.broker.policySource.snapshot()
  if (ledger === null || !sees(session, ledger, organisation)) throw outOfSight("unit")
  return ledger
}

/** An export walks a directory. This one has the ledger that is asked for, and is there when the real one is lost. */
const onlyOf = (ledger: LedgerEntry): Directory => ({
  list: async () => ({ ledgers: [ledger], next: null }),
  entry: async () => ledger,
})
