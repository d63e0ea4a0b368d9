import * as z from "zod"
import { parseSize } from "../../core/checkpoint/base64.ts"
import { BrokerError } from "../../core/errors.ts"
import { covers, isWhole, partsOf } from "../../core/operator-scope.ts"
import type { Organisation } from "../../core/policy/model.ts"
import { OWN_LEDGER_UNIT, recordAct, requireWhole } from "../../operate/act.ts"
import { followed } from "../../operate/followed.ts"
import { type Operator, outOfSight } from "../../operate/operator.ts"
import type { LedgerEntry } from "../../ports/directory.ts"
import {
  CHECKPOINT_PATH,
  CHECKPOINT_POLICY_PATH,
  CHECKPOINT_PROOF_PATH,
  CHECKPOINT_PROOFS_PATH,
  type CheckpointProofsAnswer,
  SIGN_REPORT_PATH,
} from "../../wire/checkpoints.ts"
import { readJson } from "../body.ts"
import { incomingOf } from "../incoming.ts"
import { read } from "./read.ts"
import type { OperateRoutes } from "./routing.ts"

const signing = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits in lower case"),
})

/** Ledgers of one page: a proof has about a kilobyte. */
const LEDGERS_PER_PAGE = 200

/** The issuer's name of the broker's own ledger. No issuer of an organisation file needs it: it would be the broker itself. */
const OWN_ISSUER = "broker"

/** The checkpoints of the audit trail, and proofs. Right: `audit.read`, for proofs within the operator's scope. */
export const checkpointRoutes: OperateRoutes = ({ app, act, broker, directory, checkpoints }) => {
  const parts = () => ({ log: followed(checkpoints), ledgers: followed(directory) })

  app.get(CHECKPOINT_PATH, async (context) => {
    await act(context, "audit.read")
    const since = context.req.query("since")
    if (since === undefined) return text((await parts().log.latest()) ?? none())
    const old = parseSize(since) ?? malformed("since is the size of a checkpoint: a whole number")
    const latest = (await parts().log.latest()) ?? none()
    const answer = await parts().log.since(old)
    return text(answer ?? malformed(`since is larger than the checkpoint, whose size is ${latest.split("\n")[1]}`))
  })

  app.get(CHECKPOINT_POLICY_PATH, async (context) => {
    await act(context, "audit.read")
    return text((await parts().log.policy()) ?? none())
  })

  app.get(CHECKPOINT_PROOF_PATH, async (context) => {
    const { operator } = await act(context, "audit.read")
    const { log, ledgers } = parts()
    const { organisation } = await broker.policySource.snapshot()
    const seq = parseSize(context.req.query("seq") ?? "")
    if (seq === null || seq === 0) malformed("seq is the number of a record, from 1")
    const { issuer, id: unitId } = partsOf(context.req.query("unit") ?? "")
    const issuerUrl = issuer === OWN_ISSUER ? broker.url : organisation.issuers.get(issuer)?.url
    const entry = issuerUrl === undefined ? null : await ledgers.entry({ issuerUrl, unitId })
    if (entry === null || !maySee(operator, entry, organisation)) throw outOfSight("unit")
    const proof = await log.prove(entry, seq ?? 0)
    return text(proof ?? malformed("the newest checkpoint does not have this record: a new one follows within minutes"))
  })

  app.get(CHECKPOINT_PROOFS_PATH, async (context) => {
    const { operator } = await act(context, "audit.read")
    const { log, ledgers } = parts()
    const { organisation } = await broker.policySource.snapshot()
    const after = context.req.query("after")
    const page = await ledgers.list({ limit: LEDGERS_PER_PAGE, ...(after === undefined ? {} : { after }) })
    const unit = context.req.query("unit")
    const seen = page.ledgers.filter(
      (entry) => (unit === undefined || entry.unit === unit) && maySee(operator, entry, organisation),
    )
    const proofs: string[] = []
    for (const entry of seen) proofs.push((await log.prove(entry)) ?? "")
    const answer: CheckpointProofsAnswer = { proofs: proofs.join(""), next: page.next }
    return Response.json(answer)
  })

  app.post(SIGN_REPORT_PATH, async (context) => {
    const by = await act(context, "audit.read")
    const { sha256 } = read(signing, await readJson(incomingOf(context.req.raw)))
    const { log } = parts()
    // The note cannot say of what the report tells: an auditor takes it for one of everything.
    requireWhole(by, () => new BrokerError("not_allowed", PART))
    await recordAct(by, `sign the audit report with the SHA-256 ${sha256}`, broker)
    return text((await log.signReport(sha256, broker.clock.now())) ?? none())
  })

  const maySee = (
    { scope }: Operator,
    { issuerUrl, unitId, ownerId }: LedgerEntry,
    { issuers }: Organisation,
  ): boolean =>
    // The broker's own ledger concerns everybody's units, so that only a whole scope covers it.
    issuerUrl === broker.url && unitId === OWN_LEDGER_UNIT
      ? isWhole(scope)
      : covers(scope, { issuerUrl, unitId, ownerId: ownerId ?? "" }, issuers)
}

const PART =
  "A report is signed for the whole deployment only, and your grant is for a part of it. Make the report without --sign."

const text = (body: string): Response =>
  new Response(body, { headers: { "content-type": "text/plain; charset=utf-8" } })

function none(): never {
  throw new BrokerError(
    "ledger_unavailable",
    "No checkpoint is signed yet. The first follows minutes after the first record.",
    {
      retryAfterSeconds: 300,
    },
  )
}

function malformed(detail: string): never {
  throw new BrokerError("request_malformed", detail)
}
