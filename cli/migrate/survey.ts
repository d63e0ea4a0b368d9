import { statSync } from "node:fs"
import { resolve } from "node:path"
import * as z from "zod"
import { jsonOfUtf8 } from "../../broker/core/utf8.ts"
import { impossible, reasonOf } from "../arguments.ts"
import { printJson } from "../format.ts"
import { parseRepository } from "../github/names.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { surveyGitHub } from "./survey/ask-github.ts"
import { checkoutsAt } from "./survey/checkout.ts"
import { type Survey, shareOf } from "./survey/model.ts"
import { surveyRepository } from "./survey/repository.ts"
import { linesOf } from "./survey/words.ts"

const OWNER = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/

/** `daypass migrate survey`. */
export async function run({ options, positionals }: Arguments, io: CliIo): Promise<number> {
  const [target = ""] = positionals
  const { since, json } = options
  const before = typeof since === "string" ? await earlier(since, io) : null
  if (typeof before === "string") return impossible(before, io)

  const found = await look(target, io)
  if (typeof found === "string") return impossible(found, io)
  const survey: Survey = {
    version: 1,
    at: io.now().toISOString(),
    of: target,
    ...found,
    share: shareOf(found.repositories),
  }
  if (json === true)
    printJson({ ...survey, ...(before !== null && { before: { at: before.at, share: before.share } }) }, io)
  else for (const line of linesOf(survey, before)) io.out(inert(line))
  const isWhole =
    survey.not_seen.length === 0 && survey.repositories.every(({ not_seen: unseen }) => unseen.length === 0)
  return isWhole ? EXIT.ok : EXIT.no
}

async function look(target: string, io: CliIo): Promise<Pick<Survey, "repositories" | "not_seen"> | string> {
  const repository = parseRepository(target)
  const isPath = /^(?:\.|\/|[A-Za-z]:)|[\\/]$/.test(target)
  if (!isPath && repository !== null) return surveyGitHub({ ...repository, name: repository.name }, io)
  if (!isPath && OWNER.test(target) && !isFolder(resolve(io.cwd, target)))
    return surveyGitHub({ owner: target, name: null }, io)
  if (!isPath && OWNER.test(target))
    return `${target} is a folder here, and could be an organisation: write ./${target} for the folder`
  const checkouts = checkoutsAt(resolve(io.cwd, target))
  if (typeof checkouts === "string") return checkouts
  return { repositories: checkouts.map((one) => surveyRepository(one, null)), not_seen: [] }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const whole = z.number().int().min(0)
const EARLIER = z.object({
  version: z.literal(1),
  at: z.iso.datetime(),
  repositories: z.array(
    z.looseObject({
      name: z.string(),
      jobs: whole,
      jobs_without: whole,
      dotenv: z.array(z.unknown()),
      not_seen: z.array(z.string()),
    }),
  ),
  share: z.object({ repositories: whole, repositories_without: whole, jobs: whole, jobs_without: whole }),
})

/** An earlier survey. A text says why the file is none. */
async function earlier(path: string, io: CliIo): Promise<Survey | string> {
  let bytes: Uint8Array
  try {
    bytes = await io.readFile(path)
  } catch (error) {
    return `${path} cannot be read (${reasonOf(error)})`
  }
  const read = EARLIER.safeParse(jsonOfUtf8(bytes))
  return read.success ? (read.data as unknown as Survey) : `${path} is not the output of daypass migrate survey --json`
}
