import { cloudflareTest } from "@cloudflare/vitest-plugin"
import { defineConfig } from "vitest/config"

// The pure rooms and the contract suites once more, inside the runtime that serves production.
export default defineConfig({
  plugins: [cloudflareTest({ main: "./broker/entry/worker.ts", wrangler: { configPath: "./wrangler.toml" } })],
  test: {
    root: ".",
    include: ["test/core/**/*.test.ts", "test/workerd/**/*.test.ts"],
    testTimeout: 60_000,
  },
})
