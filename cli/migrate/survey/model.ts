import type { Kind } from "../kinds.ts"

/** Where a secret of GitHub's settings is. */
export type Scope = "repository" | "organisation" | "environment" | "dependabot" | "codespaces"

/** A secret of GitHub's settings: its name and its ages. GitHub never shows a value. */
export interface StoredSecret {
  readonly name: string
  readonly scope: Scope
  /** Of the scope `environment`. */
  readonly environment?: string
  /** ISO 8601. */
  readonly created_at: string
  readonly updated_at: string
}

/** One use, as a report has it. */
export interface ReportedUse {
  readonly file: string
  readonly line: number
  readonly job: string | null
  readonly how: string
}

/** A secret of a repository: where it is kept, where it is used, and what it becomes. */
export interface SurveyedSecret {
  readonly name: string
  /** Empty when GitHub was not asked, or did not list it. */
  readonly kept: readonly Omit<StoredSecret, "name">[]
  readonly uses: readonly ReportedUse[]
  /** `unused`: no workflow of the repository names it. `unknown`: none does, but one hands over all secrets. */
  readonly becomes: Kind | "unused" | "unknown"
}

/** A file of variables in the repository: their names alone. */
export interface DotenvFile {
  readonly path: string
  readonly names: readonly string[]
}

export interface SurveyedRepository {
  readonly name: string
  /** How many jobs its workflows have, and how many of them name no static secret. */
  readonly jobs: number
  readonly jobs_without: number
  readonly secrets: readonly SurveyedSecret[]
  /** Places where all secrets are handed over, or a name is computed. */
  readonly open_uses: readonly ReportedUse[]
  readonly dotenv: readonly DotenvFile[]
  /** Sentences: what was not read, and what to change. */
  readonly not_seen: readonly string[]
}

/** The answer of `daypass migrate survey --json`, and what `--since` takes. */
export interface Survey {
  readonly version: 1
  /** ISO 8601. */
  readonly at: string
  readonly of: string
  readonly repositories: readonly SurveyedRepository[]
  /** Of the organisation itself, for a survey of one. */
  readonly not_seen: readonly string[]
  readonly share: Share
}

/** How much is done without a static secret. */
export interface Share {
  readonly repositories: number
  readonly repositories_without: number
  readonly jobs: number
  readonly jobs_without: number
}

/** A repository counts as one without static secrets when no job names one, and no file of variables is in it. */
export function shareOf(repositories: readonly SurveyedRepository[]): Share {
  const sum = (count: (one: SurveyedRepository) => number) => repositories.reduce((total, one) => total + count(one), 0)
  return {
    repositories: repositories.length,
    repositories_without: sum((one) => (isWithout(one) ? 1 : 0)),
    jobs: sum(({ jobs }) => jobs),
    jobs_without: sum(({ jobs_without: without }) => without),
  }
}

const isWithout = ({ jobs, jobs_without: without, dotenv, not_seen: unseen }: SurveyedRepository): boolean =>
  jobs === without && dotenv.length === 0 && unseen.length === 0
