import { counted } from "../../format.ts"
import { BECOMES } from "../kinds.ts"
import {
  type Share,
  type StoredSecret,
  type Survey,
  type SurveyedRepository,
  type SurveyedSecret,
  shareOf,
} from "./model.ts"

const MAX_USES = 5

/** A survey for people, as lines. Names and ages, never a value. `before`: an earlier survey. */
export function linesOf(survey: Survey, before: Survey | null): readonly string[] {
  const repositories = survey.repositories.flatMap((one) => [...repositoryLines(one, survey.at), ""])
  return [
    ...repositories,
    ...survey.not_seen.map((sentence) => `Not seen: ${sentence}.`),
    `Without static secrets: ${shareText(survey.share)}.`,
    ...(before === null ? [] : sinceLines(survey, before)),
  ]
}

function repositoryLines(one: SurveyedRepository, now: string): readonly string[] {
  const { name, jobs, jobs_without: without, secrets, open_uses: open, dotenv, not_seen: unseen } = one
  const share = jobs === 0 ? "no jobs" : `${without} of ${counted(jobs, "job")} without a static secret`
  return [
    `${name}: ${share}`,
    ...secrets.flatMap((secret) => secretLines(secret, now)),
    ...open.map(({ file, line, how }) => `  ${file}:${line} hands over more than one secret: ${how}`),
    ...dotenv.map(
      ({ path, names }) =>
        `  ${path} has ${counted(names.length, "value")}: ${names.join(", ")}. Import them: daypass migrate import`,
    ),
    ...unseen.map((sentence) => `  Not seen: ${sentence}.`),
  ]
}

function secretLines({ name, kept, uses, becomes }: SurveyedSecret, now: string): readonly string[] {
  const where = kept.length === 0 ? "" : ` (${kept.map((one) => placeOf(one, now)).join("; ")})`
  const more = uses.length > MAX_USES ? [`      and ${uses.length - MAX_USES} more`] : []
  return [
    `  ${name}${where}`,
    `    ${wordsOf(becomes, kept)}`,
    ...uses.slice(0, MAX_USES).map(({ file, line, how }) => `      ${file}:${line} ${how}`),
    ...more,
  ]
}

function wordsOf(becomes: SurveyedSecret["becomes"], kept: SurveyedSecret["kept"]): string {
  const [only] = kept
  if (becomes === "unknown") return "unknown: no workflow names it, but one is handed all secrets"
  if (becomes === "unused") {
    if (kept.length > 0 && kept.every(({ scope }) => scope === "dependabot")) return "stays: Dependabot alone gets it"
    if (kept.length > 0 && kept.every(({ scope }) => scope === "codespaces")) return "stays: Codespaces alone get it"
    return only?.scope === "organisation"
      ? "no longer needed here: no workflow names it"
      : "no longer needed: no workflow names it"
  }
  return BECOMES[becomes]
}

function placeOf({ scope, environment, updated_at: updated }: Omit<StoredSecret, "name">, now: string): string {
  const where = scope === "environment" ? `environment ${environment}` : scope
  const days = Math.floor((Date.parse(now) - Date.parse(updated)) / 86_400_000)
  return Number.isFinite(days) ? `${where}, set ${days <= 0 ? "today" : `${counted(days, "day")} ago`}` : where
}

const shareText = ({ repositories, repositories_without: without, jobs, jobs_without: jobsWithout }: Share) =>
  `${without} of ${counted(repositories, "repository", "repositories")}, ${jobsWithout} of ${counted(jobs, "job")}`

/** What has changed since, by repository. Only what both surveys saw is compared. */
function sinceLines(survey: Survey, before: Survey): readonly string[] {
  const old = new Map(before.repositories.map((one) => [one.name, one]))
  const both = survey.repositories.filter(({ name }) => old.has(name))
  const was = shareOf(both.flatMap(({ name }) => old.get(name) ?? []))
  const changed = both.flatMap((one) => {
    const then = old.get(one.name)
    if (then === undefined || (then.jobs === one.jobs && then.jobs_without === one.jobs_without)) return []
    return [`  ${one.name}: ${then.jobs_without} of ${then.jobs}, now ${one.jobs_without} of ${one.jobs}`]
  })
  return [`On ${before.at.slice(0, 10)}, these repositories had: ${shareText(was)}.`, ...changed]
}
