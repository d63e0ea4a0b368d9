import { fileURLToPath } from "node:url"

/**
 * Has a Node that a test starts keep what it compiles, types stripped included, and find it there the next time: a broker
 * or a command line starts from its sources in half the time. For the environment of a process that gets no other.
 */
export const COMPILE_CACHE = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../../node_modules/.cache/daypass-compiled", import.meta.url)),
}
