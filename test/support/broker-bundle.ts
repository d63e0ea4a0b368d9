import { join } from "node:path"
import { buildBroker } from "../../broker/entry/build.ts"
import { builtOnce } from "./built-once.ts"

const SOURCES = ["{analysis,broker}/**/*.{ts,js}", "*.ts", "package-lock.json"]

/** The entry of the built broker: it starts in half the time of the sources. */
export async function bundledBroker(): Promise<string> {
  return join(await builtOnce("daypass-broker", SOURCES, buildBroker), "broker.js")
}
