import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { visible } from "../../broker/core/policy/faults.ts"
import type { Witness } from "../regions/region.ts"
import { sentenceOf } from "../regions/words.ts"
import { fieldOfClaim, isFieldClaim } from "../scopes/field-axes.ts"
import type { ChangeSubject } from "../scopes/scope.ts"
import { type IssuerWords, subjectWords } from "../scopes/subject-words.ts"
import { claimText } from "../scopes/token.ts"
import { familyOf, nameClaim } from "../scopes/unit-claims.ts"
import { issuerRemarks, issuersInWords } from "./issuer-words.ts"
import type { PolicyChange, PolicyDiff } from "./model.ts"

/** The most units and cases that are listed by name. JSON has all of them. */
const MAX_SUBJECTS = 5
const MAX_CASES = 4

/**
 * A diff as lines for a terminal or a log: first the changed issuers, then what gives more, then what gives less. Each
 * change has the jobs it affects, one of them as an example, and the line of the policy that makes the difference. No
 * text from a policy can break out of its line.
 */
export function explainDiff({ changes, issuers, limitsDiffer }: PolicyDiff): string[] {
  const { full, short } = issuersInWords(issuers)
  const explained = changes.map((change) => explainChange(change, { full, short }))
  const parts = [issuerRemarks(issuers).map(visible), ...explained, [countOf(changes), ...limitsRemark(limitsDiffer)]]
  return parts.filter(({ length }) => length > 0).flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]))
}

/** In one line: how many changes give more and less, and whether limits and which issuers changed. */
export function summaryOfDiff({ changes, issuers, limitsDiffer }: PolicyDiff): string {
  return [countOf(changes), ...limitsRemark(limitsDiffer), ...issuerRemarks(issuers).map(visible)].join(" ")
}

const limitsRemark = (differ: boolean): readonly string[] =>
  differ ? ["The limits of what jobs may use up differ. They are no permissions."] : []

function countOf(changes: PolicyDiff["changes"]): string {
  const count = (direction: PolicyChange["direction"]) =>
    changes.filter((change) => change.direction === direction).length
  const [wider, narrower] = [count("wider"), count("narrower")]
  if (wider + narrower === 0) return "No job gets more or less."
  const gives = (number: number, what: string) => `${number} ${number === 1 ? "change gives" : "changes give"} ${what}`
  if (wider === 0) return `${gives(narrower, "less")}. No job gets more.`
  if (narrower === 0) return `${gives(wider, "more")}. No job gets less.`
  return `${gives(wider, "more")}, ${gives(narrower, "less")}.`
}

/** One change in one sentence, with the jobs that it affects: for an annotation. */
export function sentenceOfChange(change: PolicyChange, { issuers }: Pick<PolicyDiff, "issuers">): string {
  const jobs = casesOf(change)
  const when = jobs.length === 0 ? "" : `, if ${jobs.join("; or if ")}`
  return visible(
    `${subjectsOf(change, issuersInWords(issuers))}: ${change.says}${when}.${change.proven ? "" : ` Unproven: ${UNPROVEN}.`}`,
  )
}

/** A job in few words: its unit, its environment, and the claims that the change depends on. */
function exampleWords(example: Witness, named: ReadonlySet<string>, family: FamilyFacts): string {
  const { environment, ref, event } = family.roles
  const told = [nameClaim(family), environment, ref, event]
  const said = (claim: string | undefined) => {
    const text = claim === undefined ? undefined : example[claim]
    return claim === undefined || text === undefined ? undefined : claimText(claim, text, family)
  }
  const more = Object.entries(example).filter(([claim]) => named.has(claim) && !told.includes(claim))
  return [
    said(nameClaim(family)) ?? "",
    ...(environment === undefined ? [] : [said(environment) ?? "no environment"]),
    ...(ref === undefined ? [] : [`ref ${said(ref) ?? ""}`]),
    ...(event === undefined ? [] : [`event ${said(event) ?? ""}`]),
    ...more.map(([claim, value]) =>
      isFieldClaim(claim) ? `${fieldOfClaim(claim)} ${value}` : `${claim} ${said(claim)}`,
    ),
  ].join(", ")
}

const UNPROVEN = "the analysis found no such job, but cannot rule one out"

/** How a change names issuers: in full the first time, short after that. */
interface IssuerNaming {
  readonly full: IssuerWords
  readonly short: IssuerWords
}

function explainChange(change: PolicyChange, naming: IssuerNaming): string[] {
  const { direction, says, example, proven, place, cases } = change
  const sign = direction === "wider" ? "+ MORE" : "- LESS"
  const jobs = casesOf(change)
  const named = new Set(cases.flat().map(({ claim }) => claim))
  const gone = place.set === "old" ? " (as it was)" : ""
  const also = example === null ? [] : Object.keys(example).filter(isFieldClaim)
  return [
    `${sign}  ${subjectsOf(change, naming)}`,
    `        ${says}`,
    ...jobs.map((job, index) => `        ${index === 0 ? "if" : "or if"} ${job}`),
    ...(example === null
      ? []
      : [`        for example: ${exampleWords(example, new Set([...named, ...also]), familyOf(change.subjects[0]))}`]),
    ...(proven ? [] : [`        unproven: ${UNPROVEN}`]),
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

/** `acme/shop (id 41), production, acme/web (id 42), production and 3 more`. */
function subjectsOf({ kind, subjects }: PolicyChange, { full, short }: IssuerNaming): string {
  // A change of an issuer already describes that issuer in full.
  const told = new Set(kind === "issuer" ? subjects.map(({ issuer }) => issuer) : [])
  const wordsOf = (subject: ChangeSubject) => {
    const words = subjectWords(subject, told.has(subject.issuer) ? short : full)
    told.add(subject.issuer)
    return words
  }
  const named = subjects.slice(0, MAX_SUBJECTS).map(wordsOf)
  const more = subjects.length - named.length
  if (more > 0) return `${named.join(", ")} and ${more} more`
  return named.length < 2 ? (named[0] ?? "") : `${named.slice(0, -1).join(", ")} and ${named.at(-1)}`
}
