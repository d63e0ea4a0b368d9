import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { common } from "./vitest.common.ts"

/** What needs a real PostgreSQL. The interop run starts it: `npm run test:interop -- postgres`. */
export default defineConfig({
  test: {
    ...common(0.1),
    include: ["test/interop/postgres/*.test.ts"],
    globalSetup: [fileURLToPath(new URL("interop/postgres/setup.ts", import.meta.url))],
  },
})
