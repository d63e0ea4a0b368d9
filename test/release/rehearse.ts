// `npm run rehearse`: makes a release twice, and uses what it made as its readers will. Needs Linux, the rights of root, git, GNU tar.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { POLICIES_FRESH_SECONDS } from "../../broker/adapters/cloudflare/kv-policy-source.ts"
import { COMMANDS } from "../../cli/commands/index.ts"
import type { CliIo } from "../../cli/io.ts"
import { runCommand } from "../../cli/main.ts"
import { nodeIo } from "../../cli/node-io.ts"
import { push } from "../../cli/push/push.ts"
import packageJson from "../../package.json" with { type: "json" }
import { pushBranch } from "../../release/branch.ts"
import { type Artefact, reportOf } from "../../release/release.ts"
import { ScriptedWrangler } from "../cli/scripted-wrangler.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, send } from "../flow/world.ts"
import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { freePort } from "../support/servers.ts"
import { makeContainer, readDockerfile } from "./image.ts"
import { startProgram } from "./program.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const NODE = join(ROOT, "node_modules/node/bin/node")
const MAX_PACKAGE_BYTES = 5 * 1024 * 1024
const { version } = packageJson
// --once: the gate of every change makes the files once. The workflow of a release makes them again, and compares.
const { values: asked } = parseArgs({ options: { against: { type: "string" }, once: { type: "boolean" } } })

const folder = mkdtempSync(join(tmpdir(), "daypass-rehearsal-"))
// The image's user must get through.
chmodSync(folder, 0o711)
process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
const at = (...parts: string[]) => join(folder, ...parts)
const run = (program: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) =>
  execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options })

let failed = 0
async function check(name: string, body: () => void | Promise<void>): Promise<void> {
  const started = performance.now()
  let verdict = "ok"
  try {
    await body()
  } catch (error) {
    verdict = "FAILED"
    failed += 1
    console.log(error)
  }
  console.log(`${verdict.padEnd(8)}${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${name}`)
}

/** As another person would: with another umask, in another time zone. */
const release = (out: string, umask: string, zone: string) =>
  run("sh", ["-c", 'umask "$1" && exec "$2" release/release.ts --out "$3"', "sh", umask, NODE, out], {
    env: { ...(process.env as Record<string, string>), TZ: zone },
  })

async function grants(broker: { readonly url: string }, github: GitHub): Promise<void> {
  const token = await github.mint(DEPLOYMENT, { audience: broker.url })
  const { status, json } = await send(broker, "/v1/exchange", { token, body: { grants: ["vault"] } })
  assert.deepEqual([status, json["code"]], [200, undefined])
}

const first = at("first")
await check("the release is made", () => void release(first, "022", "UTC"))
const assets = join(first, "assets")
const names = readdirSync(assets)

const again = () => {
  release(at("second"), "077", "Asia/Tokyo")
  run("diff", ["--recursive", first, at("second")])
  if (asked.against !== undefined) run("diff", ["--recursive", assets, asked.against])
}
if (asked.once !== true) await check("another run gives the same bytes, for another umask and time zone", again)

await check("SHA256SUMS names every file, and is right", () => {
  const summed = readFileSync(join(assets, "SHA256SUMS"), "utf8").match(/\S+$/gm)
  assert.deepEqual(summed?.sort(), names.filter((name) => name !== "SHA256SUMS").sort())
  run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: assets })
})

await check("the bill of materials names what is in the bundles, and no tool", () => {
  const { components } = JSON.parse(readFileSync(join(assets, `daypass-${version}.cdx.json`), "utf8"))
  const listed: string[] = components.map((component: { name: string }) => component.name)
  for (const name of ["hono", "jose", "zod", "yaml", "@aws-sdk/client-sts"]) assert.ok(listed.includes(name), name)
  for (const name of ["wrangler", "vitest", "esbuild", "typescript"]) assert.ok(!listed.includes(name), name)
})

const policies = at("policies")
const github = await startGitHub()
writeFlowPolicies(policies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
const installed = at("installed")

await check("the package installs from its file without the network, is alone, and holds no source", () => {
  mkdirSync(installed)
  const quiet = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund"]
  run("npm", ["install", ...quiet, join(assets, `daypass-${version}.tgz`)], { cwd: installed })
  assert.deepEqual(
    readdirSync(join(installed, "node_modules")).filter((name) => !name.startsWith(".")),
    ["daypass"],
  )
  const files = readdirSync(join(installed, "node_modules/daypass"), { recursive: true }).map(String)
  assert.deepEqual(
    files.filter((name) => name.endsWith(".ts")),
    [],
  )
  const tarball = readFileSync(join(assets, `daypass-${version}.tgz`))
  assert.ok(tarball.byteLength < MAX_PACKAGE_BYTES, `${tarball.byteLength} bytes`)
})

await check("its command says its version, checks policies, and serves: a job gets what it may", async () => {
  const command = [NODE, join(installed, "node_modules/.bin/daypass")]
  const daypass = (...args: string[]) => run(NODE, [...command.slice(1), ...args], { cwd: installed, env: {} })
  assert.equal(daypass("--version"), `${version}\n`)
  // By its own first line, on the machine's Node, which may be older.
  const PATH = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => !entry.startsWith(ROOT))
  const linked = join(installed, "node_modules/.bin/daypass")
  assert.equal(run(linked, ["--version"], { env: { PATH: PATH.join(delimiter) } }), `${version}\n`)
  assert.match(daypass("check", policies), /no faults/)
  const url = `http://127.0.0.1:${await freePort()}`
  const where = ["--policies", policies, "--data", at("data"), "--url", url, "--port", new URL(url).port]
  const broker = await startProgram([...command, "serve", ...where], { url, cwd: installed, env: {} })
  await grants(broker, github)
  assert.equal((await broker.stop()).code, 0)
})

await check(
  "the image's files serve as another user, on a root that cannot be written, in an empty environment",
  async () => {
    assert.equal(process.getuid?.(), 0, "this check needs the rights of root: sudo npm run rehearse")
    const dockerfile = readDockerfile(join(first, "image/Dockerfile"))
    const container = makeContainer(folder, join(first, "image/tree.tar"), dockerfile, { node: NODE, policies })
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const settings = [`DAYPASS_URL=${url}`, `DAYPASS_KEK=${randomBytes(32).toString("base64")}`]
    const inside = (...args: string[]) => container.command(args, settings)
    const serve = inside(...dockerfile.entrypoint, ...dockerfile.cmd, "--port", `${port}`)
    const broker = await startProgram(serve, { url, cwd: folder, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } })
    await grants(broker, github)
    const [program = "", ...health] = inside(
      ...dockerfile.healthcheck.map((part) => part.replace(":8787/", `:${port}/`)),
    )
    run(program, health)
    const [node = "", ...writes] = inside(
      dockerfile.entrypoint[0] ?? "",
      "-e",
      "require('node:fs').writeFileSync('/opt/daypass/x', '')",
    )
    assert.throws(() => run(node, writes), /EROFS/)
    assert.equal((await broker.stop()).code, 0)
  },
)

await check("the Worker deploys as it is, and serves by published policies", async () => {
  const worker = at("worker")
  mkdirSync(worker)
  run("tar", ["--extract", "--gzip", "--strip-components=1", "-f", join(assets, `daypass-worker-${version}.tar.gz`)], {
    cwd: worker,
  })
  const settings = join(worker, "wrangler.toml")
  const namespaceId = "0123456789abcdef0123456789abcdef"
  writeFileSync(settings, readFileSync(settings, "utf8").replace(/^id = "<.*>"$/m, `id = "${namespaceId}"`))
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, CI: "1", WRANGLER_SEND_METRICS: "false" }
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js")
  const said = run(NODE, [wrangler, "deploy", "--dry-run", "--outdir", at("uploaded")], { cwd: worker, env })
  for (const binding of ["LEDGER", "KEY_RING", "DIRECTORY", "POLICIES"])
    assert.ok(said.includes(`env.${binding} `), said)

  // Published into workerd's own namespace: wrangler would take ten seconds of processor time to write it.
  const published = new ScriptedWrangler()
  const io: CliIo = { ...nodeIo(version), out: () => {}, err: () => {} }
  const declared = COMMANDS.find(({ name }) => name === "push")
  assert.ok(declared)
  assert.equal(await runCommand(declared, [policies], io, (given) => push(given, io, published.run)), 0)
  const names = readdirSync(at("uploaded")).filter((name) => name.endsWith(".js"))
  const modules = Object.fromEntries(names.map((name) => [name, readFileSync(join(worker, "worker", name), "utf8")]))
  const kv = { namespaceId, persistTo: at("state") }
  const broker = await startWorkerdBroker({
    policies,
    modules,
    kv,
    isUnfit: true,
    settings: { DAYPASS_POLICIES: "kv" },
  })
  try {
    const namespace = await broker.namespace()
    for (const [key, value] of published.values) await namespace.put(key, value)
    await broker.advance(POLICIES_FRESH_SECONDS)
    await grants(broker, github)
  } finally {
    await broker.stop()
  }
})

await check("the release branch gets the action, its major tag moves, and a second run changes nothing", async () => {
  const [remote, repository] = [at("remote.git"), at("clone")]
  run("git", ["init", "--quiet", "--bare", remote])
  run("git", ["init", "--quiet", repository])
  const archive = join(assets, `daypass-action-${version}.tar.gz`)
  const tip = (ref: string) => run("git", ["rev-parse", ref], { cwd: remote }).trim()
  const push = (next: string, file = archive) => pushBranch({ archive: file, version: next, remote, repository })
  const one = await push("1.0.0")
  assert.deepEqual([tip("v1"), tip("releases/v1"), await push("1.0.0")], [one, one, one])
  const unpacked = at("action")
  mkdirSync(unpacked)
  run("tar", ["--extract", "--gzip", "--strip-components=1", "-f", archive], { cwd: unpacked })
  mkdirSync(at("fetched"))
  run("sh", ["-c", 'git archive v1 | tar --extract --directory "$1"', "sh", at("fetched")], { cwd: remote })
  run("diff", ["--recursive", unpacked, at("fetched")])
  writeFileSync(join(unpacked, "NEW.md"), "new\n")
  run("tar", ["--create", "--gzip", "-f", at("next.tar.gz"), "--directory", folder, "action"])
  const two = await push("1.1.0", at("next.tar.gz"))
  assert.deepEqual([tip("v1"), tip("v1^")], [two, one])
  const metadata = readdirSync(unpacked, { recursive: true })
    .map(String)
    .filter((name) => /(?:^|\/)action\.yml$/.test(name))
  assert.ok(metadata.includes("action.yml"))
  for (const file of metadata.map((name) => join(unpacked, name))) {
    const programs = readFileSync(file, "utf8").matchAll(/^ {2}(?:main|post): (\S+)$/gm)
    for (const [, path = ""] of programs) readFileSync(join(dirname(file), path))
  }
})

await github.close()
const sizes = (part: string): Artefact[] =>
  readdirSync(join(first, part)).map((path) => ({
    path: `${part}/${path}`,
    bytes: readFileSync(join(first, part, path)).byteLength,
  }))
console.log(`\n${reportOf([...sizes("assets"), ...sizes("image")])}\n`)
console.log(failed === 0 ? "The rehearsal passed." : `${failed} checks of the rehearsal failed.`)
process.exitCode = failed === 0 ? 0 : 1
