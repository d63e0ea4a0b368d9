import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parse, parseAllDocuments } from "yaml"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const FOLDER = fileURLToPath(new URL("../../examples/ci", import.meta.url))
const read = (path: string) => readFileSync(join(FOLDER, path), "utf8")
const TIMEOUT_MS = 60_000
/** The oldest version with sidecars by default, and a newer one. */
const KUBERNETES = ["1.29", "1.31"]

/** The templates for other CIs, by the schemas that their vendors publish. */
export async function ciTemplatesCase(programs: string, check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-ci-templates-"))
  const write = (name: string, value: unknown) => {
    const path = join(folder, name)
    writeFileSync(path, JSON.stringify(value))
    return path
  }
  const fits = async (schema: string, path: string, ...more: string[]) => {
    const args = ["--builtin-schema", `vendor.${schema}`, ...more, path]
    const { exitCode, output } = await runCommand(join(programs, "check-jsonschema"), args, { timeoutMs: TIMEOUT_MS })
    assert.equal(exitCode, 0, output)
  }
  try {
    await check("the GitLab component, with its inputs, is a pipeline", async () => {
      await fits("gitlab-ci", write("gitlab-ci.json", renderedComponent()), "--data-transform", "gitlab-ci")
      await fits("gitlab-ci", join(FOLDER, "gitlab/pipeline.yml"), "--data-transform", "gitlab-ci")
    })
    await check("the forms of this repository's issues are forms of GitHub", async () => {
      const forms = (name: string) =>
        fileURLToPath(new URL(`../../.github/ISSUE_TEMPLATE/${name}.yml`, import.meta.url))
      for (const name of ["bug", "provider"]) await fits("github-issue-forms", forms(name))
      await fits("github-issue-config", forms("config"))
    })
    await check("the Buildkite pipeline fits its schema", () =>
      fits("buildkite", join(FOLDER, "buildkite/pipeline.yml")),
    )
    await check("the CircleCI pipeline fits its schema, and so does the orb inside of one", async () => {
      await fits("circle-ci", join(FOLDER, "circleci/config.yml"))
      const { version: _, description: _also, ...orb } = parse(read("circleci/orb.yml"))
      const config = parse(read("circleci/config.yml"))
      await fits("circle-ci", write("config.json", { ...config, orbs: { daypass: orb } }))
    })
    for (const version of KUBERNETES)
      await check(`the manifests are objects of Kubernetes ${version}`, async () => {
        for (const name of ["init-container", "sidecar"]) {
          const args = ["--strict", "-k", version, join(FOLDER, `kubernetes/${name}.yaml`)]
          const { exitCode, output } = await runCommand(join(programs, "kubernetes-validate"), args, {
            timeoutMs: TIMEOUT_MS,
          })
          assert.equal(exitCode, 0, output)
        }
      })
    await check("ShellCheck finds nothing in the scripts", async () => {
      const orb = parse(read("circleci/orb.yml")) as { commands: { exec: { steps: { run: { command: string } }[] } } }
      const script = join(folder, "orb.sh")
      writeFileSync(script, orb.commands.exec.steps[0]?.run.command ?? "")
      for (const args of [[join(FOLDER, "buildkite/hooks/command")], ["--shell=bash", script]]) {
        const { exitCode, output } = await runCommand(join(programs, "shellcheck"), args, { timeoutMs: TIMEOUT_MS })
        assert.equal(exitCode, 0, output)
      }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** As GitLab interpolates inputs. One without a default gets a text. */
function renderedComponent(): unknown {
  const [header, job] = parseAllDocuments(read("gitlab/templates/daypass.yml")).map((one) => one.toJS())
  const inputs = header.spec.inputs as Record<string, { default?: string }>
  const text = JSON.stringify(job).replace(
    /\$\[\[ inputs\.([a-z0-9]+) \]\]/g,
    (_, name: string) => inputs[name]?.default ?? "text",
  )
  return { stages: ["deploy"], ...JSON.parse(text) }
}
