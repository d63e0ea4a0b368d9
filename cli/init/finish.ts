import { existsSync } from "node:fs"
import { join } from "node:path"
import { givenBy } from "../../analysis/trust/given.ts"
import type { Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { isLoopbackHost } from "../../broker/core/url.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { reasonOf } from "../arguments.ts"
import { doctor } from "../doctor/doctor.ts"
import { inert } from "../inert.ts"
import { EXIT } from "../io.ts"
import { commandLines } from "../trust/commands.ts"
import { sidesOf } from "../trust/side.ts"
import type { Desk, PolicyFolder } from "./desk.ts"
import { ownershipOf } from "./ownership.ts"
import { Refusal } from "./refusal.ts"
import { VENDORS } from "./vendors.ts"
import { workflowText } from "./workflow.ts"

/** The policy that the set-up is about, and the grant that its first workflow asks for. */
export interface FirstPolicy {
  readonly set: PolicySet
  readonly policy: Policy
  readonly grant: string
  readonly branch: string
}

/** Prints what the vendor must trust for the first grant, as commands. */
export function showTrust({ set, grant }: FirstPolicy, url: string, { io, left }: Desk): void {
  const sides = sidesOf(set, givenBy(set, {}, { providers: PROVIDERS }), { connection: undefined, grant })
  const lines = commandLines(sides, url)
  if (lines.length === 0) return
  io.out("\nWhat the other side must trust. daypass trust prints it as Terraform, too:\n")
  for (const line of lines) io.out(inert(line))
  const when = isLoopbackHost(new URL(url).hostname)
    ? "when the broker has a public URL, for no cloud can reach this machine, "
    : ""
  left(`${when}run the commands above where you are signed in to that vendor, and give the role what the job needs`)
}

const START_TIMEOUT_MS = 90_000
const LOOK_EVERY_MS = 3_000

/** Waits until a broker answers that was just deployed: a new host name takes its time. */
export async function waitForBroker(url: string, versions: readonly string[], desk: Desk): Promise<void> {
  const { io, tools } = desk
  const end = io.now().getTime() + START_TIMEOUT_MS
  if ((await ownershipOf(url, versions, io)) === "ours") return
  io.err(`daypass: waiting for ${url} to answer with these policies, up to ${START_TIMEOUT_MS / 1000} s`)
  while (io.now().getTime() < end && (await ownershipOf(url, versions, io)) !== "ours") await tools.sleep(LOOK_EVERY_MS)
}

/** Looks at the broker as `daypass doctor` does. Says whether there is nothing to fix. */
export async function smokeTest(
  url: string,
  { folder, shown }: PolicyFolder,
  { io, tools, left }: Desk,
): Promise<boolean> {
  io.out("\nWhat daypass doctor says:\n")
  const isFine =
    (await doctor(
      { options: { policies: folder }, repeated: {}, positionals: [url], after: null },
      io,
      tools.sight,
    )) === EXIT.ok
  if (!isFine) left(`mend what the lines above say, and look again: daypass doctor ${url} --policies ${shown}`)
  return isFine
}

/** Prints the workflow that asks for the first grant, or writes it where the person wants it. @throws {Refusal} */
export async function giveWorkflow(first: FirstPolicy, url: string, action: string, desk: Desk): Promise<void> {
  const { io, options, done, left } = desk
  const { policy, grant, branch } = first
  const provider = policy.grants.get(grant)?.connection.provider
  const proof = Object.values(VENDORS).find((vendor) => vendor.provider === provider)?.proof ?? "true"
  const text = workflowText({ broker: url, grant, branch, environment: policy.environment, action, proof })
  if (options.workflow === undefined) {
    io.out(`\nThe workflow, for .github/workflows/deploy.yml of ${policy.unit}:\n`)
    for (const line of text.split("\n")) io.out(inert(line))
    left(`commit the workflow to ${policy.unit}`)
    return
  }
  const file = join(io.cwd, options.workflow)
  if (existsSync(file)) return done(`${options.workflow} is there`)
  try {
    await io.createFile(file, text)
  } catch (error) {
    throw new Refusal(`${options.workflow} cannot be written (${reasonOf(error)})`)
  }
  done(`wrote ${options.workflow}`)
  left(`commit ${options.workflow} to ${policy.unit}`)
}
