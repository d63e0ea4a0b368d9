import type { Edit } from "../../../analysis/used/yaml-layout.ts"
import type { PolicyFault } from "../../../broker/core/policy/model.ts"
import type { Said } from "./drafts.ts"
import type { ActionStep } from "./job-edits.ts"
import type { Left } from "./job-plan.ts"
import type { Replacement } from "./policy-file.ts"

/** What is to be moved, and by which means. */
export interface Wish extends ActionStep {
  readonly owner: string
  readonly name: string
  readonly repositoryId: string
  readonly branch: string
  /** Null: jobs that run in no environment. */
  readonly environment: string | null
  readonly store: string | undefined
  readonly locator: string | undefined
  readonly said: Said
}

/** A connection whose other side must trust the broker for new grants. */
export interface ToTrust {
  readonly connection: string
  readonly grants: readonly string[]
}

/** A workflow before and after. */
export interface FileChange {
  readonly path: string
  readonly before: string
  readonly after: string
  readonly edits: readonly Edit[]
}

export interface Plan {
  /** The policy file, from the policy folder; null when it stays as it is. */
  readonly policy: { readonly path: string; readonly text: string; readonly before: string | null } | null
  readonly workflows: readonly FileChange[]
  readonly replaced: readonly Replacement[]
  readonly left: readonly Left[]
  readonly notes: readonly string[]
  readonly trust: readonly ToTrust[]
}

export type PlanFault = string | readonly PolicyFault[]
