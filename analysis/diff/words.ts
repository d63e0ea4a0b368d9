import { visible } from "../../broker/core/policy/faults.ts"
import type { Witness } from "../regions/region.ts"
import { sentenceOf } from "../regions/words.ts"
import { fieldOfClaim, isFieldClaim } from "../scopes/field-axes.ts"
import type { ChangeSubject } from "../scopes/scope.ts"
import type { PolicyChange, PolicyDiff } from "./model.ts"

/** At most so many repositories and cases are listed by name; JSON has them all. */
const MAX_SUBJECTS = 5
const MAX_CASES = 4

/**
 * A diff in words, line by line, for a terminal or a log: what gives more, then what gives less, each with the jobs that it
 * concerns, one of them as an example, and the line that makes the difference. Nothing in it can break out of its line.
 */
export function explainDiff(diff: PolicyDiff): string[] {
  const lines = diff.changes.flatMap((change, index) => [...(index === 0 ? [] : [""]), ...explainChange(change)])
  return [...lines, ...(lines.length === 0 ? [] : [""]), summaryOfDiff(diff)]
}

/** One line: how much gives more and less. */
export function summaryOfDiff({ changes }: PolicyDiff): string {
  const count = (direction: PolicyChange["direction"]) =>
    changes.filter((change) => change.direction === direction).length
  const [wider, narrower] = [count("wider"), count("narrower")]
  if (wider + narrower === 0) return "No change for anybody."
  const gives = (number: number, what: string) => `${number} ${number === 1 ? "change gives" : "changes give"} ${what}`
  if (wider === 0) return `${gives(narrower, "less")}. Nobody gets more.`
  if (narrower === 0) return `${gives(wider, "more")}. Nobody gets less.`
  return `${gives(wider, "more")}, ${gives(narrower, "less")}.`
}

/** One change in one sentence, with the jobs that it concerns: for an annotation. */
export function sentenceOfChange(change: PolicyChange): string {
  const jobs = casesOf(change)
  const when = jobs.length === 0 ? "" : `, if ${jobs.join("; or if ")}`
  return visible(
    `${subjectsOf(change.subjects)}: ${change.says}${when}.${change.proven ? "" : " No job was found that does."}`,
  )
}

/** A job in few words: repository, environment, and what else tells it apart. */
export function exampleWords(example: Witness, named: ReadonlySet<string>): string {
  const { repository = "", environment, event_name: event = "", ref = "" } = example
  const more = Object.entries(example).filter(([claim]) => named.has(claim) && !SHOWN.has(claim))
  const said = more.map(([claim, value]) => `${isFieldClaim(claim) ? fieldOfClaim(claim) : claim} ${value}`)
  return [repository, environment ?? "no environment", `ref ${ref}`, `event ${event}`, ...said].join(", ")
}

const SHOWN: ReadonlySet<string> = new Set(["repository", "environment", "event_name", "ref"])

function explainChange(change: PolicyChange): string[] {
  const { direction, says, subjects, example, proven, place, cases } = change
  const sign = direction === "wider" ? "+ MORE" : "- LESS"
  const jobs = casesOf(change)
  const named = new Set(cases.flat().map(({ claim }) => claim))
  const gone = place.set === "old" ? " (as it was)" : ""
  const also = example === null ? [] : Object.keys(example).filter(isFieldClaim)
  return [
    `${sign}  ${subjectsOf(subjects)}`,
    `        ${says}`,
    ...jobs.map((job, index) => `        ${index === 0 ? "if" : "or if"} ${job}`),
    ...(example === null ? [] : [`        for example: ${exampleWords(example, new Set([...named, ...also]))}`]),
    ...(proven ? [] : ["        no job was found that does, and none can be ruled out"]),
    `        ${place.file}:${place.line}${gone}`,
  ].map(visible)
}

function casesOf({ cases }: PolicyChange): string[] {
  const said = cases.filter((phrases) => phrases.length > 0).map(sentenceOf)
  if (said.length < cases.length) return []
  return said.length > MAX_CASES
    ? [...said.slice(0, MAX_CASES), `one of ${said.length - MAX_CASES} more cases holds`]
    : said
}

/** `acme/shop (id 41) in production, acme/web (id 42) in production and 3 more`. */
function subjectsOf(subjects: readonly ChangeSubject[]): string {
  const named = subjects.slice(0, MAX_SUBJECTS).map(subjectWords)
  const more = subjects.length - named.length
  if (more > 0) return `${named.join(", ")} and ${more} more`
  return named.length < 2 ? (named[0] ?? "") : `${named.slice(0, -1).join(", ")} and ${named.at(-1)}`
}

/** Whose jobs, in words. */
export function subjectWords({ issuer, repository, repositoryId, environment }: ChangeSubject): string {
  const where = environment === undefined ? "" : environment === null ? ", no environment" : `, ${environment}`
  if (repository === null) return `all jobs of ${issuer}${where}`
  return `${repository}${repositoryId === null ? "" : ` (id ${repositoryId})`}${where}`
}
