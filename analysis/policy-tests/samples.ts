import { FAMILY_FACTS } from "../../broker/core/families/families.ts"
import { GITHUB_SAMPLES } from "./github-samples.ts"
import type { FamilySamples, Sample } from "./sample.ts"

/** The samples of every family that an organisation file can name. */
const FAMILIES: readonly FamilySamples[] = [GITHUB_SAMPLES].filter(({ family }) => FAMILY_FACTS.has(family))

/** A sample, with what is known of its family. */
export interface NamedSample {
  readonly of: FamilySamples
  readonly sample: Sample
}

/**
 * The tokens that a test can start with, by name. Claims that depend on others are not here: `token-claims.ts` makes them
 * after the test's changes.
 */
export const SAMPLES: ReadonlyMap<string, NamedSample> = new Map(
  FAMILIES.flatMap((of) => Object.entries(of.samples).map(([name, sample]) => [name, { of, sample }] as const)),
)

const [FIRST = "", ...OTHERS] = SAMPLES.keys()

export const SAMPLE_NAMES: readonly [string, ...string[]] = [FIRST, ...OTHERS]
