// The templates for other CIs: each is run here as that CI would run it, with the built command line in the place of a release's package.
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, test } from "vitest"
import { parse, parseAllDocuments } from "yaml"
import packageJson from "../package.json" with { type: "json" }
import { granted, revoked, SECRET } from "./action/story.ts"
import { ended, endJobs, makeFolder, makePrograms, proved, runJob, withBroker } from "./cli/exec/job.ts"
import { builtCli } from "./support/built-cli.ts"
import { COMPILE_CACHE } from "./support/compile-cache.ts"
import type { ScriptedBroker } from "./support/scripted-broker.ts"

afterAll(endJobs)

const FOLDER = fileURLToPath(new URL("../examples/ci", import.meta.url))
const read = (path: string) => readFileSync(join(FOLDER, path), "utf8")
const FILES = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((path) =>
  statSync(join(FOLDER, path)).isFile(),
)
/** For a command of the template: it has the credentials. */
const COMMAND = `test "$AWS_SECRET_ACCESS_KEY" = '${SECRET}' && echo "has them"`

const PACKAGE = "the package of the release"
const SHA256 = createHash("sha256").update(PACKAGE).digest("hex")
const { version } = packageJson
const ADDRESS = `https://github.com/daypass/daypass/releases/download/v${version}/daypass-${version}.tgz`

/** Programs of a job: curl, which has this version's package alone, and npm, which installs the built command line for it. */
async function programs(others: Readonly<Record<string, string>> = {}): Promise<string> {
  const command = await builtCli()
  const curl = `
    if (args[0] !== "-fsSL" || args[1] !== "-o" || args[3] !== ${JSON.stringify(ADDRESS)}) refuse("unexpected " + args.join(" "))
    require("node:fs").writeFileSync(args[2], ${JSON.stringify(PACKAGE)})`
  const npm = `
    const [install, silent, prefix, folder, file] = args
    if ([install, silent, prefix].join(" ") !== "install --silent --prefix" || args.length > 5) refuse("unexpected " + args.join(" "))
    const fs = require("node:fs")
    if (fs.readFileSync(file, "utf8") !== ${JSON.stringify(PACKAGE)}) refuse("not the package")
    fs.mkdirSync(folder + "/node_modules/.bin", { recursive: true })
    const script = "#!/bin/sh\\nexec '" + process.execPath + "' ${command} \\"$@\\"\\n"
    fs.writeFileSync(folder + "/node_modules/.bin/daypass", script, { mode: 0o755 })`
  return makePrograms({ curl, npm, ...others })
}

/** Runs a script of a template as its CI does. */
async function runScript(shell: readonly string[], env: Readonly<Record<string, string>>, folder: string) {
  const temp = makeFolder()
  const path = [folder, process.env["PATH"]].join(delimiter)
  const [program = "", ...args] = shell
  return new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>(
    (resolve, reject) => {
      const child = spawn(program, args, {
        cwd: temp,
        env: { PATH: path, HOME: temp, TMPDIR: temp, ...COMPILE_CACHE, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      })
      let [out, err] = ["", ""]
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        out += text
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        err += text
      })
      child.once("error", reject)
      child.once("close", (code) => resolve({ code, out, err }))
    },
  )
}

/** A program of a CI that requests a token of the scripted broker's endpoint for an audience. */
const requester = ({ idToken }: ScriptedBroker, audience: string) => `
  const audience = ${audience}
  fetch(${JSON.stringify(idToken.url)} + "&audience=" + encodeURIComponent(audience), {
    headers: { authorization: "Bearer ${idToken.requestToken}", "user-agent": "daypass-cli" },
  }).then((response) => response.json()).then(({ value }) => console.log(value))`

const ENDED = [...granted(), ...revoked()]

describe("every template", () => {
  test.each(FILES)("%s says in its first lines where it is explained", (path) => {
    expect(read(path).split("\n").slice(0, 2).join("\n")).toMatch(/Explained in docs\/exec\.md|^# Templates/)
  })

  test("pins the version of this package, wherever it names one", () => {
    const named = FILES.flatMap((path) => read(path).match(/daypass[@-]\d[\w.]+|releases\/download\/\S+/g) ?? [])
    const pins = named.flatMap((name) => name.match(/\d+\.\d+\.\d+/g) ?? [])
    expect(pins.length).toBeGreaterThan(8)
    expect(new Set(pins)).toEqual(new Set([version]))
  })
})

describe("the GitLab component", () => {
  const [header, job] = parseAllDocuments(read("gitlab/templates/daypass.yml")).map((one) => one.toJS()) as [
    { spec: { inputs: Record<string, { default?: string }> } },
    Record<string, Record<string, unknown>>,
  ]

  /** As GitLab interpolates: in texts of the parsed file. */
  const rendered = (inputs: Record<string, string>) => {
    const all = {
      ...Object.fromEntries(Object.entries(header.spec.inputs).map(([name, { default: text }]) => [name, text])),
      ...inputs,
    }
    return JSON.parse(
      JSON.stringify(job).replace(/\$\[\[ inputs\.([a-z0-9]+) \]\]/g, (_, name: string) =>
        JSON.stringify(all[name]).slice(1, -1),
      ),
    ) as Record<string, { script: string[]; variables: Record<string, string | { value: string }>; id_tokens: unknown }>
  }

  test("uses each of its inputs, and no other", () => {
    const used = [...JSON.stringify(job).matchAll(/\$\[\[ inputs\.([a-z0-9]+) \]\]/g)].map(([, name]) => name)
    expect([...new Set(used)].sort()).toEqual(Object.keys(header.spec.inputs).sort())
  })

  test("is given the inputs that it needs by the example", () => {
    const { include } = parse(read("gitlab/pipeline.yml")) as { include: { inputs: Record<string, string> }[] }
    const needed = Object.entries(header.spec.inputs).filter(([, input]) => input.default === undefined)
    expect(Object.keys(include[0]?.inputs ?? {}).sort()).toEqual(needed.map(([name]) => name).sort())
  })

  test("runs the command with the credentials", async () => {
    const run = await withBroker([proved(), ended], async (broker) => {
      const deploy = rendered({ broker: broker.origin, grants: "aws-deploy", command: COMMAND, sha256: SHA256 })[
        "daypass"
      ]
      expect(deploy?.id_tokens).toEqual({ DAYPASS_ID_TOKEN: { aud: broker.origin } })
      const variables = Object.entries(deploy?.variables ?? {}).map(([name, one]) => [
        name,
        typeof one === "string" ? one : one.value,
      ])
      const env = { GITLAB_CI: "true", DAYPASS_ID_TOKEN: broker.issue(broker.origin), ...Object.fromEntries(variables) }
      return runScript(["sh", "-ec", deploy?.script.join("\n") ?? ""], env, await programs())
    })
    expect([run.out, run.code]).toEqual(["has them\n", 0])
  })
})

describe("the Buildkite plugin", () => {
  const hook = join(FOLDER, "buildkite/hooks/command")
  const AGENT = (broker: ScriptedBroker) => `
    if (args[0] === "redactor") process.exit(0)
    if (args.slice(0, 3).join(" ") !== "oidc request-token --audience") refuse("unexpected " + args.join(" "))
    ${requester(broker, "args[3]")}`

  test.each([
    ["a text", { BUILDKITE_PLUGIN_DAYPASS_GRANTS: "aws-deploy" }],
    ["a list", { BUILDKITE_PLUGIN_DAYPASS_GRANTS_0: "aws-deploy" }],
  ])("runs the step's command with the credentials: grants as %s", async (_, grants) => {
    const run = await withBroker(ENDED, async (broker) => {
      const folder = await programs({ "buildkite-agent": AGENT(broker) })
      const env = {
        BUILDKITE: "true",
        BUILDKITE_COMMAND: COMMAND,
        BUILDKITE_PLUGIN_DAYPASS_BROKER: broker.origin,
        BUILDKITE_PLUGIN_DAYPASS_SHA256: SHA256,
        ...grants,
      }
      return runScript([hook], env, folder)
    })
    expect([run.out, run.code]).toEqual(["has them\n", 0])
  })

  test("ends as the command does, and joins a list of grants", async () => {
    const both = { a: { values: {} }, b: { values: {} } }
    const value = { values: { v: { value: "a-secret-value", secret: true, env: "V" } } }
    const script = [
      ...granted({ ...both, a: value, b: { values: { w: { ...value.values.v, env: "W" } } } } as never),
      ...revoked(),
    ]
    const run = await withBroker(script, async (broker) => {
      const folder = await programs({ "buildkite-agent": AGENT(broker) })
      const grants = { BUILDKITE_PLUGIN_DAYPASS_GRANTS_0: "a", BUILDKITE_PLUGIN_DAYPASS_GRANTS_1: "b" }
      const env = {
        BUILDKITE: "true",
        BUILDKITE_COMMAND: "false; exit 0",
        BUILDKITE_PLUGIN_DAYPASS_BROKER: broker.origin,
        BUILDKITE_PLUGIN_DAYPASS_SHA256: SHA256,
        ...grants,
      }
      return runScript([hook], { ...env, BUILDKITE_PLUGIN_DAYPASS_TTL: "5m" }, folder)
    })
    expect(run.code).toBe(1)
  })

  test("needs a broker and a command", async () => {
    const folder = await programs()
    const noBroker = await runScript([hook], { BUILDKITE_COMMAND: "true" }, folder)
    const noCommand = await runScript(
      [hook],
      { BUILDKITE_PLUGIN_DAYPASS_BROKER: "https://b.example", BUILDKITE_PLUGIN_DAYPASS_SHA256: SHA256 },
      folder,
    )
    expect([noBroker.code, noCommand.code]).toEqual([1, 1])
    expect([noBroker.err, noCommand.err].map((text) => /needs broker|has no command/.test(text))).toEqual([true, true])
  })

  test("describes the options that the example gives it", () => {
    const { configuration } = parse(read("buildkite/plugin.yml")) as {
      configuration: { properties: object; required: string[] }
    }
    const { steps } = parse(read("buildkite/pipeline.yml")) as { steps: { plugins: Record<string, object>[] }[] }
    const given = Object.keys(Object.values(steps[0]?.plugins[0] ?? {})[0] ?? {})
    expect(given.filter((name) => !(name in configuration.properties))).toEqual([])
    expect(configuration.required.filter((name) => !given.includes(name))).toEqual([])
  })
})

describe("the CircleCI orb", () => {
  interface Orb {
    readonly commands: {
      readonly exec: {
        readonly parameters: Record<string, { default?: string }>
        readonly steps: readonly {
          readonly run: { readonly environment: Record<string, string>; readonly command: string }
        }[]
      }
    }
  }
  const { parameters, steps } = (parse(read("circleci/orb.yml")) as Orb).commands.exec
  const fill = (text: string, given: Record<string, string>) =>
    text.replace(/<<parameters\.([a-z0-9]+)>>/g, (_, name: string) => given[name] ?? parameters[name]?.default ?? "")

  test.each([
    ["the policy's lifetime", {}],
    ["its own lifetime", { ttl: "5m" }],
  ])("runs the command with the credentials and %s", async (_, more) => {
    const run = await withBroker(ENDED, async (broker) => {
      const circleci = `
        if (args.slice(0, 4).join(" ") !== "run oidc get --claims") refuse("unexpected " + args.join(" "))
        ${requester(broker, "JSON.parse(args[4]).aud")}`
      const given = { broker: broker.origin, grants: "aws-deploy", command: COMMAND, sha256: SHA256, ...more }
      const { environment, command } = steps[0]?.run ?? { environment: {}, command: "" }
      const env = Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, fill(text, given)]))
      return runScript(
        ["bash", "-eo", "pipefail", "-c", command],
        { CIRCLECI: "true", ...env },
        await programs({ circleci }),
      )
    })
    expect([run.out, run.code]).toEqual(["has them\n", 0])
  })

  test("has the parameters that the example gives it", () => {
    const { jobs } = parse(read("circleci/config.yml")) as {
      jobs: { deploy: { steps: (string | Record<string, Record<string, string>>)[] } }
    }
    const step = jobs.deploy.steps.find((one) => typeof one === "object" && "daypass/exec" in one) as Record<
      string,
      Record<string, string>
    >
    const given = Object.keys(step["daypass/exec"] ?? {})
    const needed = Object.keys(parameters).filter((name) => parameters[name]?.default === undefined)
    expect(needed.filter((name) => !given.includes(name))).toEqual([])
    expect(given.filter((name) => !(name in parameters))).toEqual([])
  })
})

describe("the Jenkinsfile", () => {
  test("has a command line that runs with the bound token", async () => {
    const [, install = ""] = /sh '''\n(.+?)'''/s.exec(read("jenkins/Jenkinsfile")) ?? []
    const [, line = ""] = /^ *sh '([^'].+)'$/m.exec(read("jenkins/Jenkinsfile")) ?? []
    const run = await withBroker([proved(), ended], async (broker) => {
      const env = {
        JENKINS_URL: "https://jenkins.example.com/",
        DAYPASS_BROKER: broker.origin,
        DAYPASS_ID_TOKEN: broker.issue(broker.origin),
        DAYPASS_SHA256: SHA256,
        TOOLS: join(makeFolder(), "tools"),
      }
      const command = line.replace("./deploy.sh", `sh -c '${COMMAND.replaceAll("'", "'\\''")}'`)
      return runScript(["sh", "-xe", "-c", `${install}\n${command}`], env, await programs())
    })
    expect([run.out, run.code]).toEqual(["has them\n", 0])
  })
})

describe("the Kubernetes manifests", () => {
  interface Container {
    readonly name: string
    readonly image: string
    readonly command?: readonly string[]
    readonly args?: readonly string[]
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
    readonly securityContext: object
  }
  interface Pod {
    readonly initContainers: readonly Container[]
    readonly containers: readonly Container[]
    readonly automountServiceAccountToken: boolean
    readonly volumes: readonly {
      readonly name: string
      readonly projected?: { readonly sources: readonly { readonly serviceAccountToken: Record<string, unknown> }[] }
    }[]
  }
  const podOf = (path: string) => {
    const [, workload] = parseAllDocuments(read(path)).map((one) => one.toJS()) as [
      object,
      { spec: { template: { spec: Pod } } },
    ]
    return workload.spec.template.spec
  }
  const MANIFESTS = ["kubernetes/init-container.yaml", "kubernetes/sidecar.yaml"]

  test.each(MANIFESTS)(
    "%s: the token is where the command looks, for the broker that it asks, and the service has none",
    (path) => {
      const { initContainers, containers, volumes, automountServiceAccountToken } = podOf(path)
      const [daypass] = initContainers
      const mount = daypass?.volumeMounts.find(({ name }) => name === "id-token")
      const token = volumes.find(({ name }) => name === "id-token")?.projected?.sources[0]?.serviceAccountToken
      expect(`${mount?.mountPath}/${token?.["path"]}`).toBe("/var/run/secrets/daypass/token")
      expect(token?.["audience"]).toBe(daypass?.args?.[2])
      expect(automountServiceAccountToken).toBe(false)
      for (const { volumeMounts } of containers)
        expect(volumeMounts.map(({ name, readOnly }) => [name, readOnly])).toEqual([["credentials", true]])
    },
  )

  test.each(MANIFESTS)("%s: the container's command writes the file", async (path) => {
    const [daypass] = podOf(path).initContainers
    const folder = makeFolder()
    const script = [proved({ x: { values: { key: { value: SECRET, secret: true } } } })]
    const out = await withBroker(script, async (broker) => {
      writeFileSync(join(folder, "token"), broker.issue(broker.origin))
      const [grant = "", file = ""] = ["--grants", "--out"].map(
        (name) => daypass?.args?.[daypass.args.indexOf(name) + 1],
      )
      const args = (daypass?.args ?? []).map((one) =>
        one === "https://daypass.example.com"
          ? broker.origin
          : one === grant
            ? "x"
            : one === file
              ? join(folder, "out")
              : one,
      )
      // The image's entry point is the command line.
      expect([daypass?.command, daypass?.image]).toEqual([
        undefined,
        `ghcr.io/daypass/daypass:${version}@sha256:<digest>`,
      ])
      const isFresh = args.includes("--refresh")
      const run = await runJob([...args.filter((one) => one !== "--refresh"), "--token-file", join(folder, "token")])
      expect([run.code, isFresh]).toEqual([0, path.includes("sidecar")])
      return readFileSync(join(folder, "out"), "utf8")
    })
    expect(out).toBe(SECRET)
  })
})
