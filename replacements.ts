// What stands in for parts of packages that no bundle needs: part of the builds of the command line and of the broker.
// wrangler.toml says the same of the Worker.
import { fileURLToPath } from "node:url"

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What age needs for keys of other kinds, and for runtimes without X25519. */
export const AGE = Object.fromEntries(
  ["@noble/post-quantum/hybrid.js", "@noble/curves/ed25519.js", "@noble/hashes/scrypt.js"].map((name) => [
    name,
    at("broker/entry/age-in-bundle.ts"),
  ]),
)

/** The CommonJS build calls `require`, which an ES module has not. The Worker runs this one as well. */
export const YAML = { yaml: at("node_modules/yaml/browser/index.js") }

/** A part of AWS's SDK for calls that stream. STS has none. */
export const STS = { "@smithy/core/event-streams": at("broker/entry/sts-in-bundle.ts") }
