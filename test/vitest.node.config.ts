import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { common } from "./vitest.common.ts"

export default defineConfig({
  test: {
    ...common(0.1),
    setupFiles: [...(common(0.1).setupFiles ?? []), fileURLToPath(new URL("support/in-a-step.ts", import.meta.url))],
    // Its longest files wait most of the time, for brokers that start and for folders that must be still. A number, because a
    // percentage is cut to the number of cores.
    maxWorkers: 2 * availableParallelism(),
    include: ["test/**/*.test.ts"],
    exclude: ["test/workerd/**", "test/interop/**", "node_modules/**"],
  },
})
