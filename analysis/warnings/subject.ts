import type { PolicySet, Rule } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { ClaimFacts } from "../scopes/scope-space.ts"
import type { Sources } from "./sources.ts"

/** What is looked at: a set that loaded, the files that it was loaded from, and what is known besides. */
export interface Subject {
  readonly set: PolicySet
  readonly sources: Sources
  readonly providers: ProviderSchemaTable
  readonly facts: ClaimFacts
  /** Rules that match no job, as far as values of claims tell. */
  readonly dead: ReadonlySet<Rule>
}
