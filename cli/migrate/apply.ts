import { join } from "node:path"
import { impossible } from "../arguments.ts"
import { printJson } from "../format.ts"
import type { GitHub } from "../github/api.ts"
import { GitHubError } from "../github/github-error.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { type Write, writeAll } from "./apply/local.ts"
import { type Proposed, propose } from "./apply/pull-request.ts"
import { type Gathered, gather, refused } from "./plan/gather.ts"
import type { Plan, Wish } from "./plan/model.ts"
import { planFor } from "./plan/plan.ts"
import { closingLines, jsonOf, summaryOf } from "./plan/words.ts"

/** `daypass migrate apply`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const gathered = await gather(given, io)
  if (typeof gathered === "number") return gathered
  const { wish, files, folder, loaded, json, github, commit } = gathered
  const planned = planFor(wish, files, loaded)
  if (!planned.ok) return refused(planned.fault, folder, io)
  const plan = planned.value
  const place = { folder, broker: wish.broker }
  const writes = writesOf(plan, gathered)
  const fault = await writeAll(writes, io)
  if (fault !== null) return impossible(`${fault}. Nothing was proposed`, io)
  if (!json) for (const { path } of writes) io.out(inert(`wrote ${path}`))
  const proposed =
    commit !== null && github !== null && plan.workflows.length > 0
      ? await proposeAll(github, commit, wish, plan)
      : null
  if (typeof proposed === "string") return impossible(`${proposed}. The policy file stays: run this again`, io)
  if (json) {
    printJson(
      { ...jsonOf(plan, place), written: writes.map(({ path }) => path), pull_request: proposed?.url ?? null },
      io,
    )
    return EXIT.ok
  }
  if (proposed !== null) io.out(inert(`${proposed.isNew ? "opened" : "there is already"} ${proposed.url}`))
  for (const line of closingLines(plan, place)) io.out(inert(line))
  io.out(inert(summaryOf(plan)))
  if (plan.replaced.length > 0)
    io.out(`Next: daypass check ${folder}, publish the policies, then merge. Later: daypass migrate verify.`)
  return EXIT.ok
}

/** The policy first: a workflow must not ask for what no policy gives. */
function writesOf({ policy, workflows }: Plan, { folder, local }: Gathered): readonly Write[] {
  const own = policy === null ? [] : [{ path: join(folder, policy.path), before: policy.before, after: policy.text }]
  if (local === null) return own
  return [...own, ...workflows.map(({ path, before, after }) => ({ path: join(local, path), before, after }))]
}

/** A text says why there is no pull request. */
async function proposeAll(github: GitHub, commit: string, wish: Wish, plan: Plan): Promise<Proposed | string> {
  const { owner, name, branch, environment } = wish
  const where = environment === null ? "jobs without an environment" : `the environment ${environment}`
  try {
    return await propose(github, {
      ...{ owner, name, base: branch, commit, head: `daypass/${branchPart(environment)}`, files: plan.workflows },
      title: `Get the credentials of ${where} from Daypass`,
      body: bodyOf(plan),
    })
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error
    return error.message
  }
}

const branchPart = (environment: string | null) =>
  (environment ?? "no-environment").replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "") || "environment"

/** For the reviewers: names, never a value. */
function bodyOf({ replaced, left, notes }: Plan): string {
  const code = (text: string) => `\`${text.replaceAll("`", "'")}\``
  const rows = replaced.map(
    ({ workflow, secret, grant }) => `- ${code(secret)} in ${code(workflow)}: grant ${code(grant)}`,
  )
  const stays = left.map(
    ({ file, line, secret, why }) => `- ${code(`${file}:${line}`)} ${code(secret ?? "all secrets")}: ${why}`,
  )
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", `### ${title}`, "", ...lines]
  return [
    "The jobs get these values from the broker, by the repository's policy, and no longer from secrets of GitHub's settings.",
    "Merge it when the policies are published: before, the jobs would be denied.",
    ...section("In place of secrets", rows),
    ...section(
      "To look at",
      notes.map((note) => `- ${note}`),
    ),
    ...section("What stays", stays),
  ].join("\n")
}
