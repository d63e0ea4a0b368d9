import type { FamilyFacts } from "../families/family-facts.ts"
import type { Identity } from "../identity.ts"
import { type JobProtection, missingProtection, type ProtectionFact } from "./environment-protection.ts"
import type { Policy } from "./model.ts"
import { unprotected } from "./policy-environment.ts"

/** How a job's environment meets what its policies demand of it. */
export interface Protection {
  readonly protection: JobProtection
  /** Asking the environment's host would tell nothing new. */
  readonly asked: boolean
  /** What the environment lacks for the demands of the policies themselves. */
  readonly unmet: readonly string[]
}

/**
 * All policies of a job share its environment, so the demand of one policy holds for all of them. `answer` is its host's;
 * undefined until the host was asked.
 */
export function protectionFor(
  identity: Identity,
  family: FamilyFacts,
  applying: readonly Policy[],
  answer: ProtectionFact | undefined,
): Protection {
  const own = applying.flatMap(({ protectedEnvironment }) => (protectedEnvironment ? [protectedEnvironment] : []))
  const protection = { fact: factOf(identity, family, answer), words: family.protection }
  const unmet = [...new Set(own.flatMap((demand) => missingProtection(demand, protection)))]
  const isOpen = answer === undefined && identity.environment !== undefined && identity.environmentProtected !== false
  return { protection, asked: !isOpen || family.protection === undefined, unmet }
}

function factOf(identity: Identity, family: FamilyFacts, answer: ProtectionFact | undefined): ProtectionFact {
  const { environment, environmentProtected: byToken } = identity
  if (environment === undefined) return IN_NO_ENVIRONMENT
  if (family.protection === undefined) return { known: false, reason: unprotected(family) }
  return { ...(answer ?? NOT_ASKED), ...(byToken === undefined ? {} : { byToken }) }
}

const NOT_ASKED: ProtectionFact = { known: false, reason: "its host was not asked how it is protected" }
const IN_NO_ENVIRONMENT: ProtectionFact = { known: false, reason: "the job runs in no environment" }
