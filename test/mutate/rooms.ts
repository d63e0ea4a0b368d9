/** A room whose code is changed on purpose, and the tests that stand near it and must notice. */
export interface Room {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
}

export const ROOMS: Readonly<Record<string, Room>> = {
  issuers: {
    mutate: ["broker/issuers/**/*.ts"],
    tests: ["test/core/issuers/*.test.ts"],
  },
  decide: {
    mutate: ["broker/core/policy/decide.ts"],
    tests: [
      "test/core/policy/decide.test.ts",
      "test/core/policy/ceiling.test.ts",
      "test/core/policy/environment-protection.test.ts",
      "test/core/policy/break-glass.test.ts",
      "test/core/adapters/own-policy-files.test.ts",
      "test/core/policy/template.test.ts",
      "test/core/policy/wide-policies.test.ts",
    ],
  },
  exchange: {
    mutate: ["broker/exchange/**/*.ts"],
    tests: ["test/core/exchange/*.test.ts"],
  },
  ledger: {
    mutate: ["broker/adapters/ledger/**/*.ts", "broker/adapters/sqlite/**/*.ts"],
    tests: ["test/contract/ledger*.test.ts", "test/contract/key-ring.test.ts"],
  },
}

/** For each room by itself: a strong one must not make up for a weak one. */
export const LEAST_PERCENT = 90

/** Tells the configuration of vitest which room is being mutated. */
export const ROOM_VARIABLE = "DAYPASS_MUTATE_ROOM"
