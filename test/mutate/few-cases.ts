import type * as FastCheck from "fast-check"
import { vi } from "vitest"

/** Cases of a property that one mutant is held against, always the same: a score must not change from run to run. */
const CASES = { numRuns: 20, seed: 1 }

vi.mock("fast-check", async (original) => {
  const real = await original<typeof FastCheck>()
  const assert = (property: FastCheck.IRawProperty<unknown>, given?: FastCheck.Parameters<unknown>) =>
    real.assert(property, { ...given, ...CASES })
  return { ...real, assert, default: { ...real.default, assert } }
})
