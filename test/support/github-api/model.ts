import { type GitFiles, GitObjects } from "./git.ts"
import type { RunLogs } from "./run-logs.ts"

export interface Account {
  readonly login: string
  readonly id: number
}

/** How an environment is set up. What is left out is as GitHub makes an environment: without any protection. */
export interface EnvironmentSettings {
  /** Of the rule `required_reviewers`; left out, there is no such rule. */
  readonly reviewers?: readonly Account[]
  readonly preventSelfReview?: boolean
  readonly waitMinutes?: number
  readonly branches?: "protected" | "custom" | null
}

/** One review of a run's environments, by a person or an App. */
export interface Review {
  readonly by: Account
  readonly state: "approved" | "rejected" | "pending"
  readonly comment?: string
  readonly environments: readonly string[]
  /** `User` when left out. */
  readonly type?: "User" | "Bot"
}

/** What secret scanning found. */
export interface SecretScanningAlert {
  readonly secret: string
  /** For example `github_app_installation_access_token`. */
  readonly type: string
}

/** A repository that tests set up and change as its people would. */
export class HostedRepository {
  readonly id: number
  owner: Account
  /** Names that it had. GitHub leads from them to its id. */
  readonly formerNames = new Set<string>()
  #name: string
  defaultBranch = "main"
  /** Branch -> commit. Empty: the repository has no commit. */
  readonly branches = new Map<string, string>()
  /** Tag -> commit. */
  readonly tags = new Map<string, string>()
  readonly environments = new Map<string, EnvironmentSettings>()
  /** Run id -> its reviews, of all its attempts. */
  readonly runs = new Map<string, Review[]>()
  /** Run id -> its logs. */
  readonly runLogs = new Map<string, RunLogs>()
  /** Alerts of secret scanning, by their numbers. */
  readonly alerts = new Map<number, SecretScanningAlert>()
  readonly objects = new GitObjects()
  /** Lists cut short, as GitHub does with very large ones. */
  truncatesTrees = false
  #commits = 0

  constructor(id: number, owner: Account, name: string) {
    this.id = id
    this.owner = owner
    this.#name = name
  }

  get name(): string {
    return this.#name
  }

  /** Renames it. */
  set name(name: string) {
    this.formerNames.add(this.#name)
    this.#name = name
  }

  get fullName(): string {
    return `${this.owner.login}/${this.name}`
  }

  /** Makes these files the whole of a branch; returns the commit. */
  push(files: GitFiles, branch = this.defaultBranch): string {
    this.#commits += 1
    const commit = this.objects.commit(files, `Commit ${this.#commits}`)
    this.branches.set(branch, commit)
    return commit
  }

  tag(name: string, files: GitFiles): void {
    this.tags.set(name, this.objects.commit(files, `Tag ${name}`))
  }
}

/** The App, installed on an account. */
export interface Installation {
  readonly id: number
  readonly account: Account
  /** For example `{ contents: "read" }`; `metadata` is always there. */
  permissions: Readonly<Record<string, string>>
  /** The ids of the repositories chosen; `all` of the account's. */
  repositories: readonly number[] | "all"
  suspendedAt: string | null
}

/** A token that the stand-in gave. */
export interface IssuedToken {
  readonly installation: Installation
  readonly repositories: readonly number[] | "all"
  readonly permissions: Readonly<Record<string, string>>
  readonly expiresAt: number
}

export const covers = (repositories: readonly number[] | "all", id: number) =>
  repositories === "all" || repositories.includes(id)
