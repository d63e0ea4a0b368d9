import { defineConfig } from "vitest/config"
import { ROOM_VARIABLE, ROOMS } from "./rooms.ts"

const room = ROOMS[process.env[ROOM_VARIABLE] ?? ""]

/** What each mutant is held against: the tests near its room, with few cases of each property. */
export default defineConfig({
  test: {
    root: ".",
    include: [...(room?.tests ?? [])],
    setupFiles: ["test/mutate/few-cases.ts"],
    testTimeout: 30_000,
    // A third faster, and the tester starts a fresh worker for every mutant all the same.
    isolate: false,
  },
})
