import type { PolicySet, Rule } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { Sources } from "./sources.ts"

/** What the finders examine: a loaded set, its source files, and known facts about providers. */
export interface Subject {
  readonly set: PolicySet
  readonly sources: Sources
  readonly providers: ProviderSchemaTable
  /** Rules that match no job, judged by the possible values of claims. */
  readonly dead: ReadonlySet<Rule>
}
