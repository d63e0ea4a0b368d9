import { defineConfig } from "vitest/config"
import { common } from "./vitest.common.ts"

export default defineConfig({
  test: {
    ...common(0.1),
    include: ["test/**/*.test.ts"],
    exclude: ["test/workerd/**", "test/interop/**", "node_modules/**"],
  },
})
