import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ROLE, SUBJECT, writePolicies } from "../support/acme.ts"
import { startWorkerdBroker, type WorkerdBroker } from "../support/broker-workerd.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Sts, startSts } from "../support/sts.ts"
import type { Report } from "./report.ts"
import { startWiretap, type Wiretap } from "./wiretap.ts"

/** Everything of the demo that runs, all on loopback and free ports. */
export interface World {
  /** A folder that goes with the world. */
  readonly folder: string
  readonly github: GitHub
  readonly sts: Sts
  readonly broker: WorkerdBroker
  readonly wiretap: Wiretap
  /** Aborts when the world ends, and with it whatever still runs in it. */
  readonly signal: AbortSignal
}

/**
 * Starts the world. Each part is given to `ends` as soon as it runs, so that whatever happens next, disposing of
 * `ends` stops all that has started and removes all files; the operating system's temporary folder is this world's own
 * until then.
 */
export async function startWorld(ends: AsyncDisposableStack, report: Report): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-demo-"))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  ends.defer(remove)
  // Once more at the very end, for what a part that was interrupted while it started has written since.
  process.once("exit", remove)
  const outside = process.env["TMPDIR"]
  process.env["TMPDIR"] = join(folder, "tmp")
  mkdirSync(process.env["TMPDIR"])
  ends.defer(() => {
    if (outside === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = outside
  })

  const [github, sts] = await Promise.all([startGitHub(), startSts()])
  ends.defer(() => github.close())
  ends.defer(() => sts.close())
  const policies = join(folder, "policies")
  writePolicies(policies, { issuer: github.issuer, sts: sts.url })

  const broker = await report.progress(
    "bundling the broker and starting it in workerd",
    startWorkerdBroker({ policies }),
  )
  ends.defer(() => broker.stop())
  sts.addRole({
    arn: ROLE,
    issuer: broker.url,
    audiences: ["sts.amazonaws.com"],
    subject: { StringEquals: SUBJECT },
    tagSession: true,
  })
  const wiretap = await startWiretap(broker.url)
  ends.defer(() => wiretap.close())

  const abort = new AbortController()
  ends.defer(() => abort.abort())

  report.say(`   GitHub's OIDC issuer and runner   ${github.issuer}`, "dim")
  report.say(`   AWS STS                           ${sts.url}`, "dim")
  report.say(`   the broker, in workerd            ${broker.url}`, "dim")
  return { folder, github, sts, broker, wiretap, signal: abort.signal }
}
