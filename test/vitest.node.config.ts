import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    root: ".",
    include: ["test/**/*.test.ts"],
    exclude: ["test/workerd/**", "test/interop/**", "node_modules/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is polled for comes at once on a quiet machine, and later on one that builds something beside.
    expect: { poll: { timeout: 20_000 } },
  },
})
