import assert from "node:assert/strict"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ActionRun } from "../../support/runner.ts"
import { runCommand } from "../command.ts"
import type { Check } from "../run.ts"
import { certificateFolder } from "./made.ts"

/** The grant whose login is at a cluster, as the policy calls it. */
export const CLUSTER_GRANT = "logins-cluster"
/** A token that is good, and not for the repository. */
export const FOREIGN_TOKEN = "of-another-repository"
const TIMEOUT_MS = 120_000

type Told = Awaited<ReturnType<typeof runCommand>>

export interface Job {
  readonly folder: string
  /** Runs a program with what the step delivered; with `own`, as it would be without the step. */
  run(program: string, args: readonly string[], more?: Readonly<Record<string, string>>, own?: boolean): Promise<Told>
  readonly programs: string
  readonly authority: string
}

export function jobOf(
  folder: string,
  home: string,
  { env }: ActionRun,
  { authority, programs }: { readonly authority: string; readonly programs: string },
): Job {
  const base = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    GIT_SSL_CAINFO: authority,
    GIT_TERMINAL_PROMPT: "0",
    NODE_EXTRA_CA_CERTS: authority,
    REQUESTS_CA_BUNDLE: authority,
  }
  return {
    folder,
    authority,
    programs,
    run: (program, args, more = {}, own = false) =>
      runCommand(program, args, { cwd: folder, env: { ...base, ...(own ? {} : env), ...more }, timeoutMs: TIMEOUT_MS }),
  }
}

/** git at a server that answers 404 to a token of another repository, as GitHub does. */
export async function useGit({ folder, run }: Job, check: Check, host: string, password: string): Promise<void> {
  const url = `https://${host}/git/shop.git`
  await check("git clones by https, by git@ and by ssh://, and pushes", async () => {
    succeeded(await run("git", ["clone", "-q", url, "one"]))
    // The scp form has no port: the login's host gives it.
    succeeded(await run("git", ["clone", "-q", "git@127.0.0.1:git/shop.git", "two"]))
    succeeded(await run("git", ["clone", "-q", "ssh://git@127.0.0.1/git/shop.git", "three"]))
    succeeded(await run("git", ["-C", "one", "commit", "-q", "--allow-empty", "-m", "Add nothing"]))
    succeeded(await run("git", ["-C", "one", "push", "-q"]))
    succeeded(await run("git", ["-C", "two", "pull", "-q"]))
    assert.match((await run("git", ["-C", "two", "log", "-1", "--format=%an: %s"])).output, /^Own Name: Add nothing/)
  })
  await check("git asks no other helper, stores nothing, and prints no password", async () => {
    const trace = { GIT_TRACE: "1", GIT_TRACE_SETUP: "1", GIT_TRACE_CURL: "1" }
    const { exitCode, output } = await run("git", ["-C", "one", "fetch"], trace)
    assert.equal(exitCode, 0, output)
    assert.ok(
      !output.includes(password) && !output.includes(Buffer.from(`x-access-token:${password}`).toString("base64")),
    )
    assert.ok(!existsSync(join(folder, "helper-was-asked")))
    const { output: settings } = await run("git", ["config", "--list", "--show-origin"])
    assert.ok(!settings.includes(password) && settings.includes("user.name=Own Name"), settings)
  })
  await check("git uses the login where actions/checkout left another token", async () => {
    const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${FOREIGN_TOKEN}`).toString("base64")}`
    succeeded(await run("git", ["-C", "one", "config", `http.https://${host}/.extraheader`, header]))
    succeeded(await run("git", ["-C", "one", "fetch", "-q"]))
  })
  await check("git is refused without the login, and with settings of the job that hide it", async () => {
    assert.notEqual((await run("git", ["clone", "-q", url, "none"], {}, true)).exitCode, 0)
    assert.notEqual((await run("git", ["clone", "-q", url, "none"], { GIT_CONFIG_COUNT: "0" })).exitCode, 0)
  })
}

/** npm, curl, Python's requests, skopeo and kubectl. */
export async function useOthers({ folder, run, programs, authority }: Job, check: Check, host: string): Promise<void> {
  const registry = `--registry=https://${host}/npm/`
  await check("npm knows who it is and installs a package, with the user's own settings", async () => {
    assert.match(succeeded(await run("npm", ["whoami", registry])).output, /^ci$/m)
    mkdirSync(join(folder, "app"))
    writeFileSync(join(folder, "app/package.json"), '{"name":"app","version":"1.0.0"}')
    writeFileSync(join(folder, "app/.npmrc"), `@acme:registry=https://${host}/npm/\n`)
    succeeded(await run("npm", ["install", "--prefix", "app", "--no-audit", "--no-fund", "@acme/left"]))
    assert.equal(
      readFileSync(join(folder, "app/node_modules/@acme/left/index.js"), "utf8"),
      "module.exports = 'left'\n",
    )
    assert.match(succeeded(await run("npm", ["config", "get", "init-license"])).output, /^Own-1\.0$/m)
    assert.match((await run("npm", ["whoami", registry], {}, true)).output, /E401|ENEEDAUTH/)
  })
  await check("curl and Python's requests log in with .netrc", async () => {
    const curl = ["-sS", "--fail", "--cacert", authority, `https://${host}/files/a`]
    const withFile = ["-c", `curl --netrc-file "$NETRC" "$@"`, "sh", ...curl]
    assert.equal(succeeded(await run("sh", withFile)).output, "the file")
    const python = `import requests, sys; sys.stdout.write(requests.get("https://${host}/files/a").text)`
    assert.equal(succeeded(await run(join(programs, "python"), ["-c", python])).output, "the file")
    assert.notEqual((await run("curl", curl)).exitCode, 0)
  })
  await check("skopeo reads an image with Docker's configuration", async () => {
    const inspect = [
      "inspect",
      "--raw",
      "--cert-dir",
      certificateFolder(folder, authority),
      `docker://${host}/team/app`,
    ]
    assert.match(succeeded(await run("skopeo", inspect)).output, /"schemaVersion":2/)
    assert.notEqual((await run("skopeo", inspect, {}, true)).exitCode, 0)
    const written = await run("sh", ["-c", 'cat "$DOCKER_CONFIG/config.json"'])
    assert.deepEqual(Object.keys(JSON.parse(written.output).auths), ["own.example", host])
  })
  await check("kubectl lists pods with the broker's own token, and keeps the job's contexts", async () => {
    assert.equal(succeeded(await run("kubectl", ["get", "pods", "-o", "name"])).output, "pod/web-1\n")
    const contexts = succeeded(await run("kubectl", ["config", "get-contexts", "-o", "name"])).output
    assert.deepEqual(contexts.trim().split("\n").sort(), [`${CLUSTER_GRANT}-token`, "own"])
    const written = succeeded(await run("sh", ["-c", `cat "\${KUBECONFIG%%:*}"`])).output
    const foreign = join(folder, "foreign-token.json")
    writeFileSync(
      foreign,
      JSON.stringify({
        ...JSON.parse(written),
        users: [{ name: `${CLUSTER_GRANT}-token`, user: { token: "not.a.token" } }],
      }),
    )
    assert.match((await run("kubectl", ["get", "pods", "--kubeconfig", foreign])).output, /Unauthorized|logged in/)
  })
}

function succeeded(told: Told): Told {
  assert.equal(told.exitCode, 0, told.output)
  return told
}
