// What stands in for parts of packages that no bundle needs: part of the builds of the command line and of the broker.
import { fileURLToPath } from "node:url"
import type { Plugin } from "esbuild"

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** What age needs for passphrases. */
export const AGE = { "@noble/hashes/scrypt.js": at("broker/entry/age-in-bundle.ts") }

/** The CommonJS build calls `require`, which an ES module has not. The Worker runs this one as well. */
export const YAML = { yaml: at("node_modules/yaml/browser/index.js") }

/** A part of AWS's SDK for calls that stream. STS has none. */
export const STS = { "@smithy/core/event-streams": at("broker/entry/sts-in-bundle.ts") }

/** The XML parser's build for browsers needs DOMParser, which workerd does not have. */
export const XML = { "@aws-sdk/xml-builder": at("node_modules/@aws-sdk/xml-builder/dist-cjs/index.js") }

/**
 * Leaves out what AWS's SDK has for clients that the broker does not use. Among it is the code that looks for credentials of
 * the machine: in its environment, in `~/.aws`, at its metadata service. A broker without this code cannot find any.
 */
export const withoutClients: Plugin = {
  name: "without-clients",
  setup(builder) {
    builder.onResolve({ filter: /^(?:@aws-sdk\/(?:credential-provider-|nested-clients)|bowser$)/ }, ({ path }) => ({
      path,
      namespace: "left-out",
    }))
    builder.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {}" }))
  },
}

/** Leaves the clouds' SDKs out: the command line and the review read what their providers say of policies, and never call them. */
export const withoutSdks: Plugin = {
  name: "without-sdks",
  setup(builder) {
    builder.onResolve({ filter: /^@(?:aws-sdk|smithy)\// }, ({ path }) => ({
      path,
      namespace: "left-out",
    }))
    builder.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {}" }))
  },
}

/** Leaves out what @secretlint tells its own developers: a logger that needs CommonJS, and marks of every run. */
export const withoutDiagnostics: Plugin = {
  name: "without-diagnostics",
  setup(builder) {
    const silent: Readonly<Record<string, string>> = {
      debug: "export default () => () => {}",
      "@secretlint/profiler": "export const secretLintProfiler = { mark() {} }",
    }
    builder.onResolve({ filter: /^(?:debug|@secretlint\/profiler)$/ }, ({ path }) => ({ path, namespace: "silent" }))
    builder.onLoad({ filter: /.*/, namespace: "silent" }, ({ path }) => ({ contents: silent[path] ?? "" }))
  },
}
