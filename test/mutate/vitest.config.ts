import { defineConfig } from "vitest/config"
import { ROOM_VARIABLE, ROOMS } from "./rooms.ts"

const room = ROOMS[process.env[ROOM_VARIABLE] ?? ""]

/** What each mutant is held against: the tests near its room, with few cases of each property. */
export default defineConfig({
  test: {
    root: ".",
    include: [...(room?.tests ?? [])],
    setupFiles: ["test/mutate/few-cases.ts"],
    // `runs` and `fewest` of test/support/laws.ts ask for it. How many cases are tried is up to few-cases.ts.
    provide: { share: 0.01 },
    testTimeout: 30_000,
    // A third faster, and the tester starts a fresh worker for every mutant all the same.
    isolate: false,
  },
})
