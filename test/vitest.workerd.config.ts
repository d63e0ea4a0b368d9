import { cloudflareTest } from "@cloudflare/vitest-plugin"
import { defineConfig } from "vitest/config"
import { XML } from "../scripts/replacements.ts"
import { common } from "./vitest.common.ts"

// The pure rooms and the contract suites once more, inside the runtime that serves production. The worker is the tests' own:
// the storage adapters are tested here, not the routes.
export default defineConfig({
  plugins: [
    cloudflareTest({
      main: "./test/workerd/main.ts",
      miniflare: {
        compatibilityDate: "2026-10-01",
        compatibilityFlags: ["nodejs_compat", "enable_request_signal"],
        kvNamespaces: ["POLICIES"],
        durableObjects: {
          LEDGER: { className: "Ledger", useSQLite: true },
          KEY_RING: { className: "KeyRing", useSQLite: true },
        },
      },
    }),
  ],
  resolve: { alias: XML },
  test: {
    // Node tries the properties of the pure rooms in depth. Here a few cases of each show that workerd comes to the same.
    ...common(0.01),
    include: ["test/core/**/*.test.ts", "test/workerd/**/*.test.ts"],
    // These work on files, processes or addresses, or over the store of a broker on Node. The flow suites try the same in workerd.
    exclude: [
      "test/core/adapters/public-addresses.test.ts",
      "test/core/exports/object-export.test.ts",
      "test/core/operate/{alerts,follow,leaks,metrics,stops}.test.ts",
    ],
  },
})
