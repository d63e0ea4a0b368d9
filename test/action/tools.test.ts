import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Credential, Value } from "../../action/answer.ts"
import { ActionError } from "../../action/failure.ts"
import type { ToolsContext } from "../../action/files/tools/login.ts"
import { ownFiles } from "../../action/files/tools/own-files.ts"
import { planTools } from "../../action/files/tools/plan.ts"
import { fewest, runs } from "../support/laws.ts"
import { answered, deliveredFiles, foldersOf, granted, leftIn, play, revoked, savedByMain } from "./story.ts"

const TOKEN = "npm_Zq8sX2vB7nM4kL9pR3tY6wE1"
const PASSWORD = "p4ss:w0rd=Zq8sX2vB7n"
const PEM = `-----BEGIN CERTIFICATE-----\n${"MIIB".repeat(16)}\n-----END CERTIFICATE-----\n`
const LOGINS = {
  docker: { tool: "docker", host: "registry.example.com:5000", user: "robot$acme" },
  git: { tool: "git", host: "git.example.com:8443", user: "x-access-token" },
  netrc: { tool: "netrc", host: "pypi.example.com", user: "deploy" },
  npmrc: { tool: "npmrc", host: "npm.example.com/team" },
  kubeconfig: {
    tool: "kubeconfig",
    server: "https://kube.example.com:6443",
    certificate_authority: PEM,
    namespace: "a",
  },
} as const

const credential = (values: readonly Partial<Value>[], grant = "g"): Credential => ({
  grant,
  provider: "vault",
  expiresAt: null,
  revocation: "expires-only",
  values: values.map((value, index) => ({ name: `v${index}`, value: TOKEN, secret: true, ...value })),
})

/** A job whose own files are these, by path. */
function job(
  own: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
  platform: NodeJS.Platform = "linux",
): ToolsContext {
  const under = (folder: string) => Object.entries(own).filter(([path]) => path.startsWith(`${folder}/`))
  return {
    folder: "/tmp/daypass-1",
    platform,
    environment: { HOME: "/home/runner", ...environment },
    own: {
      text: (path) => own[path] ?? null,
      below: (folder) =>
        under(folder).map(([path, text]) => ({ path: path.slice(folder.length + 1), bytes: Buffer.from(text) })),
      exists: (path) => own[path] !== undefined || under(path).length > 0,
    },
  }
}

function planned(credentials: readonly Credential[], context: ToolsContext) {
  const { files, variables, ...rest } = planTools(credentials, context)
  for (const { mode } of files) expect(mode).toBe(0o600)
  const text = Object.fromEntries(files.map(({ path, bytes }) => [path, bytes.toString("utf8")]))
  return { files: text, variables: Object.fromEntries(variables), ...rest }
}

/** Characters with a meaning in some configuration file, among a few letters. */
const ODD = [..."ababab.:/-_@=;#\"'\\ \n\r\t\0$[]{}%é"]

const codeOf = (act: () => unknown) => {
  try {
    act()
  } catch (thrown) {
    if (thrown instanceof ActionError) return `${thrown.code}: ${thrown.message}`
    throw thrown
  }
  return "none"
}

describe("Docker's login", () => {
  const login = [credential([{ value: PASSWORD, logins: [LOGINS.docker] }])]
  const auth = Buffer.from(`robot$acme:${PASSWORD}`).toString("base64")
  const PATH = "/tmp/daypass-1/tools/docker/config.json"

  test("is base64 in a folder of the step, and that text is a secret, too", () => {
    const { files, variables, secrets } = planned(login, job())
    expect(JSON.parse(files[PATH] ?? "")).toEqual({ auths: { "registry.example.com:5000": { auth } } })
    expect(variables).toEqual({ DOCKER_CONFIG: "/tmp/daypass-1/tools/docker" })
    expect(secrets).toEqual([auth])
  })

  test("keeps what the job has: other logins, helpers, proxies, plugins, contexts and builders", () => {
    const before = {
      auths: { "ghcr.io": { auth: "b2xk" }, "registry.example.com:5000": { auth: "b2xk" } },
      credHelpers: { "eu.gcr.io": "gcloud", "registry.example.com:5000": "old" },
      proxies: { default: { httpProxy: "http://proxy.example" } },
      cliPluginsExtraDirs: ["/opt/plugins"],
      currentContext: "remote",
    }
    const own = {
      "/home/runner/.docker/config.json": JSON.stringify(before),
      "/home/runner/.docker/cli-plugins/docker-buildx": "x",
      "/home/runner/.docker/buildx/current": "{}",
      "/home/runner/.docker/contexts/meta/abc/meta.json": "{}",
    }
    const { files, variables } = planned(login, job(own))
    expect(JSON.parse(files[PATH] ?? "")).toEqual({
      ...before,
      auths: { "ghcr.io": { auth: "b2xk" }, "registry.example.com:5000": { auth } },
      credHelpers: { "eu.gcr.io": "gcloud" },
      cliPluginsExtraDirs: ["/opt/plugins", "/home/runner/.docker/cli-plugins"],
    })
    expect(files["/tmp/daypass-1/tools/docker/contexts/meta/abc/meta.json"]).toBe("{}")
    expect(variables["BUILDX_CONFIG"]).toBe("/home/runner/.docker/buildx")
  })

  test("takes the folder that the job names, and leaves the builders that it names", () => {
    const own = { "/d/config.json": '{"auths":{"a.example":{"auth":"b2xk"}}}', "/d/buildx/current": "{}" }
    const { files, variables } = planned(login, job(own, { DOCKER_CONFIG: "/d", BUILDX_CONFIG: "/b" }))
    expect(Object.keys(JSON.parse(files[PATH] ?? "").auths)).toEqual(["a.example", "registry.example.com:5000"])
    expect(variables["BUILDX_CONFIG"]).toBeUndefined()
  })

  test("wins over a helper for all registries, which stays for the others", () => {
    const own = { "/home/runner/.docker/config.json": '{"credsStore":"desktop"}' }
    const written = JSON.parse(planned(login, job(own)).files[PATH] ?? "")
    expect([written.credsStore, written.credHelpers]).toEqual(["desktop", { "registry.example.com:5000": "" }])
  })

  test("of Docker's Hub is under the name that Docker looks for", () => {
    const hub = [credential([{ logins: [{ ...LOGINS.docker, host: "docker.io" }] }])]
    expect(Object.keys(JSON.parse(planned(hub, job()).files[PATH] ?? "").auths)).toEqual([
      "https://index.docker.io/v1/",
    ])
  })

  test.each(["[]", "null", "{", '"text"'])("is not added to what is not a configuration: %s", (text) => {
    expect(codeOf(() => planned(login, job({ "/home/runner/.docker/config.json": text })))).toMatch(/^delivery_refused/)
  })
})

describe("git's login", () => {
  const login = [credential([{ value: PASSWORD, logins: [LOGINS.git] }])]

  test("is in a file that a helper reads, and in no line that git prints", () => {
    const { files, variables, secrets } = planned(login, job())
    const { "/tmp/daypass-1/tools/git/config": config = "", ...passwords } = files
    expect(config).not.toContain(PASSWORD)
    expect(passwords).toEqual({
      "/tmp/daypass-1/tools/git/login_git.example.com_8443": `username=x-access-token\npassword=${PASSWORD}\n`,
    })
    expect(variables).toEqual({
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "include.path",
      GIT_CONFIG_VALUE_0: "/tmp/daypass-1/tools/git/config",
    })
    expect(secrets).toEqual([Buffer.from(`x-access-token:${PASSWORD}`).toString("base64")])
  })

  test("comes after the settings that the job has", () => {
    const { variables, files } = planned(login, job({}, { GIT_CONFIG_COUNT: "2" }))
    expect(Object.keys(variables)).toEqual(["GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_2", "GIT_CONFIG_VALUE_2"])
    expect(variables["GIT_CONFIG_COUNT"]).toBe("3")
    expect(files["/tmp/daypass-1/tools/git/config"]).toContain("GIT_CONFIG_VALUE_2%/*")
  })

  test.each(["-1", "two", "1.5", "0x1", "99999999999"])("is not added where the job's settings are %s", (count) => {
    expect(codeOf(() => planned(login, job({}, { GIT_CONFIG_COUNT: count })))).toMatch(/^delivery_refused/)
  })
})

describe("the login in .netrc", () => {
  const login = [credential([{ value: PASSWORD, logins: [LOGINS.netrc] }])]
  const OURS = `machine pypi.example.com\nlogin deploy\npassword ${PASSWORD}\n`

  test("comes before the job's own entries, in the place of one for the same machine", () => {
    const own = `machine a.example login a password b
machine pypi.example.com
  login old
  password old
machine b.example login machine password x
macdef init
  cd /pub

default login anonymous password me\n`
    const { files, variables } = planned(login, job({ "/home/runner/.netrc": own }))
    const text = files["/tmp/daypass-1/tools/netrc"] ?? ""
    expect(text.startsWith(OURS)).toBe(true)
    expect(text).not.toContain("old")
    for (const kept of [
      "machine a.example login a password b\n",
      "macdef init\n  cd /pub\n\n",
      "default login anonymous",
    ])
      expect(text).toContain(kept)
    expect(variables).toEqual({ NETRC: "/tmp/daypass-1/tools/netrc" })
  })

  test("keeps the file that the job names, and on Windows the one with an underscore", () => {
    const text = (context: ToolsContext) => Object.values(planned(login, context).files)[0]
    expect(text(job({ "/n": "machine n.example" }, { NETRC: "/n" }))).toBe(`${OURS}machine n.example`)
    const windows = job({ "/users/me/_netrc": "machine w.example" }, { USERPROFILE: "/users/me" }, "win32")
    expect(text(windows)).toBe(`${OURS}machine w.example`)
  })
})

describe("npm's login", () => {
  const login = [credential([{ logins: [LOGINS.npmrc] }])]
  const KEY = "//npm.example.com/team/:_authToken"

  test("keeps the user's own lines, and takes the place of the one for the same registry", () => {
    const own = `registry=https://npm.example.com/team/\n ${KEY} = old\n//npm.example.com/team2/:_authToken=other\n[x]\n`
    const { files, variables, warnings } = planned(login, job({ "/home/runner/.npmrc": own }))
    expect(files).toEqual({
      "/tmp/daypass-1/tools/npmrc": `${KEY}=${TOKEN}\nregistry=https://npm.example.com/team/\n//npm.example.com/team2/:_authToken=other\n[x]\n`,
    })
    expect(variables).toEqual({ NPM_CONFIG_USERCONFIG: "/tmp/daypass-1/tools/npmrc" })
    expect(warnings).toEqual([])
  })

  test("takes the file that the job names, in every spelling of that variable", () => {
    const { files, variables } = planned(login, job({ "/n": "a=b\n" }, { npm_config_userconfig: "/n" }))
    expect(Object.values(files)).toEqual([`${KEY}=${TOKEN}\na=b\n`])
    expect(Object.keys(variables)).toEqual(["NPM_CONFIG_USERCONFIG", "npm_config_userconfig"])
  })

  test("says that a line of the project wins", () => {
    const context = job({ "/w/.npmrc": `${KEY}=\${NPM_TOKEN}\n` }, { GITHUB_WORKSPACE: "/w" })
    expect(planned(login, context).warnings.join()).toContain("for npm.example.com/team")
  })
})

describe("the login at a cluster", () => {
  const login = [credential([{ logins: [LOGINS.kubeconfig] }], "deploy")]

  test("is the current context, before the job's own configuration", () => {
    const { files, variables } = planned(login, job({}, { KUBECONFIG: "/a:/b" }))
    const config = JSON.parse(files["/tmp/daypass-1/tools/kube/config"] ?? "")
    expect(config).toMatchObject({
      "current-context": "deploy-v0",
      clusters: [
        {
          name: "deploy-v0",
          cluster: {
            server: "https://kube.example.com:6443",
            "certificate-authority-data": Buffer.from(PEM).toString("base64"),
          },
        },
      ],
      users: [{ name: "deploy-v0", user: { tokenFile: "token-deploy-v0" } }],
      contexts: [{ name: "deploy-v0", context: { cluster: "deploy-v0", user: "deploy-v0", namespace: "a" } }],
    })
    expect(files["/tmp/daypass-1/tools/kube/token-deploy-v0"]).toBe(TOKEN)
    expect(variables).toEqual({ KUBECONFIG: "/tmp/daypass-1/tools/kube/config:/a:/b" })
  })

  test("comes before the file that kubectl reads without KUBECONFIG, with the system's separator", () => {
    expect(planned(login, job()).variables["KUBECONFIG"]).toMatch(/config:\/home\/runner\/.kube\/config$/)
    const windows = job({}, { USERPROFILE: "/users/me" }, "win32")
    expect(planned(login, windows).variables["KUBECONFIG"]).toMatch(/config;\/users\/me\/.kube\/config$/)
  })
})

describe("several logins at one cluster", () => {
  test("are several contexts, and the first one is current", () => {
    const values = [{ logins: [LOGINS.kubeconfig] }, { value: "other", logins: [LOGINS.kubeconfig] }]
    const { files } = planned([credential(values)], job())
    const config = JSON.parse(files["/tmp/daypass-1/tools/kube/config"] ?? "")
    expect(config["current-context"]).toBe("g-v0")
    expect(config.contexts.map(({ name }: { name: string }) => name)).toEqual(["g-v0", "g-v1"])
    expect(files["/tmp/daypass-1/tools/kube/token-g-v1"]).toBe("other")
  })

  test("are refused when their contexts would have one name", () => {
    const named = (grant: string, name: string) => credential([{ name, logins: [LOGINS.kubeconfig] }], grant)
    expect(codeOf(() => planned([named("a", "b-c"), named("A-b", "c")], job()))).toMatch(/^delivery_refused: .*A-b-c/)
  })
})

describe("logins together", () => {
  test("of one tool share its file, and the same one twice is one", () => {
    const other = { ...LOGINS.npmrc, host: "b.example" }
    const values = [{ logins: [LOGINS.npmrc] }, { logins: [other] }, { logins: [LOGINS.npmrc] }]
    expect(Object.values(planned([credential(values)], job()).files)).toEqual([
      `//npm.example.com/team/:_authToken=${TOKEN}\n//b.example/:_authToken=${TOKEN}\n`,
    ])
  })

  test("of one value can be for every tool, and are said one by one, without the value", () => {
    const { notes, files } = planned([credential([{ logins: Object.values(LOGINS) }])], job())
    expect(Object.keys(files)).toHaveLength(7)
    expect(notes).toHaveLength(5)
    expect(notes.join()).not.toContain(TOKEN)
  })

  test("that differ at one place are refused, by the names of both", () => {
    const values = [{ logins: [LOGINS.npmrc] }, { value: "npm_other", logins: [LOGINS.npmrc] }]
    expect(codeOf(() => planned([credential(values)], job()))).toMatch(
      /^delivery_refused: .*npm.example.com\/team: g \(v0\) and g \(v1\)/,
    )
  })

  test("are refused beside files of a grant that is called like their folder", () => {
    const values = [{ logins: [LOGINS.npmrc] }, { file: { mode: "0600" } }]
    expect(codeOf(() => planned([credential(values, "Tools")], job()))).toMatch(/^delivery_refused: .*another name/)
  })
})

describe("an answer with a login that is not as agreed", () => {
  test.each<readonly [string, Partial<Value>]>([
    ["an unknown tool", { logins: [{ tool: "svn", host: "a.example" }] }],
    ["no tool", { logins: [{}] }],
    ["a text for a login", { logins: ["npmrc"] }],
    ["a tool of the prototype", { logins: [{ tool: "constructor" }] }],
    ["a host that is not a text", { logins: [{ tool: "npmrc", host: ["a.example"] }] }],
    ["a host with a line break", { logins: [{ ...LOGINS.npmrc, host: "a.example\nregistry=https://evil" }] }],
    ["a user with a line break", { logins: [{ ...LOGINS.git, user: "x\npassword=y" }] }],
    ["a server that is not https", { logins: [{ ...LOGINS.kubeconfig, server: "http://kube.example" }] }],
    ["a part of another tool", { logins: [{ ...LOGINS.npmrc, server: "https://kube.example" }] }],
    ["two logins for one tool", { logins: [LOGINS.npmrc, { ...LOGINS.npmrc, host: "b.example" }] }],
    ["too many logins", { logins: Array.from({ length: 6 }, () => LOGINS.npmrc) }],
    ["a token with a line break", { value: "a\nregistry=https://evil", logins: [LOGINS.npmrc] }],
    ["a password with a line break", { value: "a\nb", logins: [LOGINS.git] }],
    ["a password with a blank", { value: "a machine b", logins: [LOGINS.netrc] }],
  ])("is refused: %s", (_, value) => {
    const fault = codeOf(() => planned([credential([value])], job()))
    expect(fault).toMatch(/^answer_unusable: .*the value v0 of g /)
    expect(fault).not.toMatch(/evil|\n/)
  })

  test("never brings a line of its own into a file, whatever is in it", () => {
    const text = fc.string({ maxLength: 12, unit: fc.constantFrom(...ODD) })
    const login = fc
      .constantFrom(...Object.values(LOGINS))
      .chain((good) =>
        fc
          .constantFrom(...Object.keys(good).filter((key) => key !== "tool"), "value")
          .chain((part) => text.map((odd) => ({ ...good, value: "npm_x", [part]: odd }))),
      )
    let accepted = 0
    fc.assert(
      fc.property(login, ({ value, ...one }) => {
        const made = codeOf(() => planned([credential([{ value, logins: [one] }])], job()))
        if (made !== "none") return
        accepted += 1
        const { files } = planned([credential([{ value, logins: [one] }])], job())
        const lines = { git: 2, netrc: 3, npmrc: 1, docker: 7, kubeconfig: 33 }[one.tool]
        const path = Object.keys(files).find((name) =>
          (one.tool === "git" ? /login_/ : /netrc|npmrc|config/).test(name),
        )
        const text = files[path ?? ""] ?? ""
        // A line break in Docker's password is in base64.
        expect([text.split("\n").length - 1 <= lines, /[\r\0\u2028]/.test(text)]).toEqual([true, false])
      }),
      { numRuns: runs(5000) },
    )
    expect(accepted).toBeGreaterThanOrEqual(fewest(450, 5000))
  })
})

describe("the job's own files", () => {
  let home = ""
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "daypass-own-"))
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  test("are read through links, and are null and empty where there are none", () => {
    writeFileSync(join(home, "a"), "text")
    symlinkSync(join(home, "a"), join(home, "b"))
    expect([ownFiles.text(join(home, "b")), ownFiles.text(join(home, "c"))]).toEqual(["text", null])
    expect(ownFiles.below(join(home, "nothing"))).toEqual([])
    mkdirSync(join(home, "d/e"), { recursive: true })
    writeFileSync(join(home, "d/e/f"), "x")
    expect(ownFiles.below(join(home, "d"))).toEqual([{ path: join("e", "f"), bytes: Buffer.from("x") }])
  })

  test.each<readonly [string, (path: string) => void]>([
    ["a folder", (path) => mkdirSync(path)],
    ["larger than 1 MiB", (path) => writeFileSync(path, "x".repeat(1024 * 1024 + 1))],
  ])("are not passed over in silence when one is %s", (_, make) => {
    make(join(home, "x"))
    expect(codeOf(() => ownFiles.text(join(home, "x")))).toMatch(/^delivery_refused: .*could not be kept/)
  })

  test("are not waited for when one is a pipe", () => {
    execFileSync("mkfifo", [join(home, "pipe")])
    expect(codeOf(() => ownFiles.text(join(home, "pipe")))).toMatch(/^delivery_refused: .*it is not a file/)
  })

  test("of the workspace do not stop npm's login when they cannot be read", () => {
    mkdirSync(join(home, ".npmrc"))
    const context = { ...job({}, { GITHUB_WORKSPACE: home, HOME: join(home, "none") }), own: ownFiles }
    expect(planned([credential([{ logins: [LOGINS.npmrc] }])], context).warnings).toEqual([])
  })

  test("are not copied without an end", () => {
    mkdirSync(join(home, "d"))
    for (let index = 0; index <= 500; index++) writeFileSync(join(home, "d", String(index)), "")
    expect(codeOf(() => ownFiles.below(join(home, "d")))).toMatch(/more than 500 files and folders/)
    symlinkSync(home, join(home, "loop"))
    expect(codeOf(() => ownFiles.below(home))).toMatch(/^delivery_refused/)
  })

  test("are not looked for in millions of folders that links make", () => {
    mkdirSync(join(home, "d/d/d/d/d"), { recursive: true })
    for (const folder of ["d", "d/d", "d/d/d", "d/d/d/d"])
      for (let link = 0; link < 40; link++) symlinkSync("d", join(home, folder, String(link)))
    expect(codeOf(() => ownFiles.below(join(home, "d")))).toMatch(/more than 500 files and folders/)
  })
})

describe("the step", () => {
  let temp = ""
  beforeEach(() => {
    temp = mkdtempSync(join(tmpdir(), "daypass-temp-"))
  })
  afterEach(() => rmSync(temp, { recursive: true, force: true }))
  const value = { value: PASSWORD, secret: true, logins: [LOGINS.docker, LOGINS.git] }
  const environment = (origin: string) => ({ HOME: join(temp, "home"), ORIGIN: origin })

  test("delivers the files, and no variable has the value", async () => {
    const { run } = await play(granted({ g: { values: { pass: value } } }), {
      temp,
      env: environment,
      inputs: { grants: "g" },
    })
    expect([run.exitCode, run.stderr]).toEqual([0, ""])
    expect(Object.keys(run.env).sort()).toEqual([
      "DOCKER_CONFIG",
      "GIT_CONFIG_COUNT",
      "GIT_CONFIG_KEY_0",
      "GIT_CONFIG_VALUE_0",
    ])
    expect(dirname(dirname(dirname(run.env["GIT_CONFIG_VALUE_0"] ?? "")))).toMatch(/\/daypass-[0-9a-f-]{36}$/)
    for (const file of Object.values(run.files)) expect(file).not.toContain(PASSWORD)
    const auth = Buffer.from(`robot$acme:${PASSWORD}`).toString("base64")
    expect(run.masks).toContain(auth)
    expect(run.log).toContain("git: logged in at git.example.com:8443 with the value pass of g.")
    expect(run.summary).toContain("login of docker, login of git")
    expect(Object.values(deliveredFiles(run)).map(({ mode }) => mode)).toEqual(["0600", "0600", "0600"])
  })

  test("removes the files when the job ends", async () => {
    const main = await play(granted({ g: { values: { pass: value } } }), {
      temp,
      env: environment,
      inputs: { grants: "g" },
    })
    await play(revoked(), {
      entry: "post",
      temp,
      state: (origin) => ({ ...savedByMain(origin), ...foldersOf(main.run) }),
    })
    expect(readdirSync(temp)).toEqual([])
  })

  test("delivers outputs alone where it is to, and both where it is to", async () => {
    const outputs = await play(granted({ g: { values: { pass: value } } }), {
      temp,
      inputs: { grants: "g", deliver: "outputs" },
    })
    expect([outputs.run.outputs["g-pass"], outputs.run.env, deliveredFiles(outputs.run)]).toEqual([PASSWORD, {}, {}])
    const both = await play(granted({ g: { values: { pass: value } } }), {
      temp,
      env: environment,
      inputs: { grants: "g", deliver: "both" },
    })
    expect([both.run.outputs["g-pass"], Object.keys(both.run.env).length]).toEqual([PASSWORD, 4])
  })

  test("gives them to the command of run alone", async () => {
    const script = [...granted({ g: { values: { pass: value } } }), ...revoked()]
    const run = `git config --get-regexp '^credential' ; cat "$DOCKER_CONFIG/config.json" > "${temp}/seen"`
    const { run: done } = await play(script, { temp, env: environment, inputs: { grants: "g", run } })
    expect([done.exitCode, done.env]).toEqual([0, {}])
    expect(done.stdout).toContain("credential.https://git.example.com:8443.helper !f()")
    expect(JSON.parse(readFileSync(join(temp, "seen"), "utf8")).auths).toHaveProperty(["registry.example.com:5000"])
    expect(leftIn(temp)).toEqual(["seen"])
  })

  test.each<readonly [string, Parameters<typeof granted>[0], string]>([
    [
      "a login is malformed",
      { g: { values: { pass: { ...value, logins: [{ tool: "git" }] as never } } } },
      "answer_unusable",
    ],
    ["the logins are no list", { g: { values: { pass: { ...value, logins: {} as never } } } }, "answer_unusable"],
    [
      "a file has the variable of a login",
      {
        g: {
          values: {
            pass: value,
            file: { value: "{}", secret: true, env: "docker_config", file: { mode: "0600" } },
          },
        },
      },
      "delivery_refused",
    ],
  ])("delivers nothing when %s, and revokes the lease", async (_, credentials, code) => {
    const script = [...granted(credentials), ...revoked()]
    const { run } = await play(script, { temp, env: environment, inputs: { grants: "g" } })
    expect([run.exitCode, run.env, run.written]).toEqual([1, {}, {}])
    expect(run.summary).toContain(code)
  })

  test("refuses a grant that is for nothing: no variable, no login", async () => {
    const script = [...answeredWith({ value: PASSWORD, secret: true }), ...revoked()]
    const { run } = await play(script, { temp, inputs: { grants: "g" } })
    expect([run.exitCode, run.env]).toEqual([1, {}])
  })
})

const answeredWith = (value: { readonly value: string; readonly secret: boolean }) =>
  answered(granted({ g: { values: { pass: value } } })[1]?.reply ?? { reset: true })
