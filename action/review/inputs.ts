import { ReviewError } from "./failure.ts"

/** A person or a team that GitHub can ask for a review. */
export interface Reviewers {
  /** The slugs of teams, and logins. */
  readonly teams: readonly string[]
  readonly people: readonly string[]
}

export interface ReviewInputs {
  /** The policy folder, from the repository's root, with forward slashes; empty for the root itself. */
  readonly folder: string
  readonly token: string
  readonly reviewers: Reviewers
  readonly strict: boolean
  /** In percent; null when tests need not exercise every rule. */
  readonly minCoverage: number | null
  /** The digest of what a second review approved; empty for none. */
  readonly approved: string
  /** The broker whose record is read; null for none. */
  readonly record: { readonly broker: string; readonly grant: string } | null
}

/** Reads and checks all inputs. `owner`: the repository's. @throws {ReviewError} */
export function readInputs(input: (name: string) => string, owner: string): ReviewInputs {
  const token = input("token")
  // A header takes no other characters, and the error of the runtime would quote the token.
  if (!/^[!-~]+$/.test(token)) throw wrong("token", "must be a token of GitHub; leave it out for the job's own")
  const broker = input("broker")
  const grant = input("record-grant")
  if (broker === "" && grant !== "") throw wrong("record-grant", "is for the record of a broker: name it with `broker`")
  return {
    folder: folderOf(input("folder")),
    token,
    reviewers: reviewersOf(input("widening-reviewers"), owner),
    strict: booleanOf("strict", input("strict")),
    minCoverage: coverageOf(input("min-coverage")),
    approved: approvedOf(input("approved")),
    record: broker === "" ? null : { broker, grant: grant || "operator" },
  }
}

/** As a path in a Git tree: no part of it may lead elsewhere. */
function folderOf(text: string): string {
  const folder = text.replace(/^\.\/(?=.)/, "").replace(/\/$/, "")
  if (folder === ".") return ""
  const parts = folder.split("/")
  if (!parts.every((part) => /^[^\\`\p{Cc}]+$/u.test(part) && part !== "." && part !== ".."))
    throw wrong("folder", "must be a folder of the repository, for example policies or access/policies")
  return folder
}

function reviewersOf(text: string, owner: string): Reviewers {
  const names = text.split(/[\s,]+/).filter((name) => name !== "")
  const teams: string[] = []
  const people: string[] = []
  for (const name of names) {
    const [, organisation, team] = /^@?([A-Za-z0-9][A-Za-z0-9-]*)(?:\/([A-Za-z0-9][A-Za-z0-9_.-]*))?$/.exec(name) ?? []
    if (organisation === undefined)
      throw wrong("widening-reviewers", "must be teams (acme/security) or people (octocat)")
    if (team === undefined) people.push(organisation)
    else if (organisation.toLowerCase() === owner.toLowerCase()) teams.push(team)
    else throw wrong("widening-reviewers", `names a team of another organisation than ${owner}: GitHub cannot ask it`)
  }
  return { teams, people }
}

function booleanOf(name: string, text: string): boolean {
  if (text === "" || text === "false") return false
  if (text === "true") return true
  throw wrong(name, "must be true or false")
}

function coverageOf(text: string): number | null {
  if (text === "") return null
  if (!/^(?:100|[1-9]?[0-9])$/.test(text)) throw wrong("min-coverage", "must be a whole number from 0 to 100")
  return Number(text)
}

function approvedOf(text: string): string {
  if (/^(?:[0-9a-f]{64})?$/.test(text)) return text
  throw wrong("approved", "must be the output `widening` of the step whose report was approved")
}

const wrong = (name: string, what: string) => new ReviewError(`The input \`${name}\` ${what}.`)
