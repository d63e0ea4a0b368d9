// Builds the Worker's modules. Run by wrangler's [build], after compile-policies.ts.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"
import { AGE, STS, withoutClients, XML } from "../../scripts/replacements.ts"
import type { CompiledPolicies } from "../core/policy/compiled.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** What `main` of wrangler.toml names. */
export const WORKER_FOLDER = join(ROOT, ".daypass", "worker")

/** The module of the compiled policies. It stands alone, so that other policies need no other build. */
export const POLICIES_MODULE = "policies.js"

/** What esbuild tells of the modules: the bytes of each file in them, and which file imports it. */
export const METAFILE = "bundle-meta.json"

/**
 * The text of that module; null: it has no policies, and the broker takes them from Workers KV. It parses JSON, because a key
 * `__proto__` means something else in an object literal.
 */
export const policiesModule = (policies: CompiledPolicies | null): string =>
  `export const compiledPolicies = JSON.parse(${JSON.stringify(JSON.stringify(policies))})\n`

const policiesAside: Plugin = {
  name: "policies-aside",
  setup(builder) {
    builder.onResolve({ filter: /^daypass:policies$/ }, () => ({ path: `./${POLICIES_MODULE}`, external: true }))
  },
}

/**
 * Builds `worker.js`, which every isolate loads, and the parts that are loaded when they are first needed: `operate.js` for the
 * first request of an operator, AWS's SDK and age for the first grant that needs them. What two parts share stands in a module
 * of its own, once: so a class is the same class in all of them. wrangler's own build makes one file of everything.
 *
 * The source maps are uploaded with them and restore the names in stack traces: keeping the names would cost a twentieth.
 *
 * @param folder modules of an earlier build are removed from it; the policies stay
 */
export async function buildWorker(folder = WORKER_FOLDER): Promise<void> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { worker: "broker/entry/worker.ts", operate: "broker/entry/operate.ts" },
    // Whatever the folder is: the maps name sources as seen from here, and names of modules depend on the maps.
    outdir: WORKER_FOLDER,
    bundle: true,
    splitting: true,
    minify: true,
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    target: "es2024",
    // workerd runs `using`, which is newer.
    supported: { using: true },
    format: "esm",
    external: ["cloudflare:*", "node:*"],
    alias: { ...AGE, ...STS, ...XML },
    define: { "process.env.NODE_ENV": '"production"' },
    sourcemap: true,
    logLevel: "warning",
    plugins: [policiesAside, withoutClients],
    metafile: true,
    write: false,
  })
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) {
    if (name !== POLICIES_MODULE) await rm(join(folder, name), { recursive: true })
  }
  for (const { path, contents } of outputFiles) await writeFile(join(folder, basename(path)), contents)
  await writeFile(join(folder, METAFILE), JSON.stringify(metafile))
}

if (import.meta.main) await buildWorker()
