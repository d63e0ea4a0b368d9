import { isLike } from "../sts/trust.ts"
import { StoreRefusal } from "./refusal.ts"

/** One allowing statement of a role's policy. Resources as IAM writes them: `*` and `?` stand for others. */
export interface Statement {
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

/** What one caller may do. Nothing, unless a statement allows it. */
export class Permissions {
  readonly #caller: string
  readonly #statements: readonly Statement[]

  constructor(caller: string, statements: readonly Statement[]) {
    this.#caller = caller
    this.#statements = statements
  }

  may(action: string, resource: string): boolean {
    return this.#statements.some(
      ({ actions, resources }) => actions.includes(action) && resources.some((pattern) => isLike(pattern, resource)),
    )
  }

  /** @throws {StoreRefusal} in IAM's words */
  demand(action: string, resource: string): void {
    if (this.may(action, resource)) return
    const why = `because no identity-based policy allows the ${action} action`
    throw new StoreRefusal(
      "AccessDeniedException",
      `User: ${this.#caller} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    )
  }
}

/** A KMS key of the account's own. What is encrypted with AWS's own key needs no permission besides the one to read it. */
export interface KmsKey {
  readonly arn: string
  readonly enabled: boolean
}
