import { join } from "node:path"
import { ownerFile, type PlannedFile } from "../../deliver/files.ts"
import { deliveryRefused } from "../../failure.ts"
import { basicOf, homeOf, type Login, loginsFor, NOTHING, type ToolsContext, type ToolsPlan } from "./login.ts"

/** Docker keeps the login of its Hub under this name ("docker login", `IndexServer`). */
const HUB_KEY = "https://index.docker.io/v1/"

/**
 * Docker's `config.json`, in a folder that DOCKER_CONFIG names. Docker reads no second folder, so this one has what the job's
 * own has: its configuration with its logins, its contexts, and the ways to its plugins and its builders.
 *
 * Source: docker/cli, "Configuration files": `auths`, `credsStore`, `credHelpers`, `cliPluginsExtraDirs`; docker/buildx,
 * `BUILDX_CONFIG`.
 */
export function planDocker(all: readonly Login[], context: ToolsContext): ToolsPlan {
  const logins = loginsFor(all, "docker")
  if (logins.length === 0) return NOTHING
  const { environment, own } = context
  const before = environment["DOCKER_CONFIG"] || join(homeOf(context), ".docker")
  const folder = join(context.folder, "tools", "docker")
  const configuration = readConfiguration(join(before, "config.json"), context)
  const plugins = join(before, "cli-plugins")
  const builders = join(before, "buildx")

  const auths = logins.map(({ login, value }) => [keyOf(login.host), basicOf(login.user, value)] as const)
  const written = {
    ...configuration,
    auths: {
      ...mapOf(configuration["auths"]),
      ...Object.fromEntries(auths.map(([key, auth]) => [key, { auth }])),
    },
    ...helpersFor(
      auths.map(([key]) => key),
      configuration,
    ),
    ...(own.exists(plugins) && { cliPluginsExtraDirs: [...listOf(configuration["cliPluginsExtraDirs"]), plugins] }),
  }
  const contexts = own
    .below(join(before, "contexts"))
    .map(({ path, bytes }): PlannedFile => ({ path: join(folder, "contexts", path), bytes, mode: 0o600 }))
  return {
    files: [ownerFile(join(folder, "config.json"), `${JSON.stringify(written, null, 2)}\n`), ...contexts],
    variables: new Map([
      ["DOCKER_CONFIG", folder],
      ...(!environment["BUILDX_CONFIG"] && own.exists(builders) ? [["BUILDX_CONFIG", builders] as const] : []),
    ]),
    secrets: auths.map(([, auth]) => auth),
    warnings: [],
  }
}

const keyOf = (host: string) => (["docker.io", "index.docker.io"].includes(host) ? HUB_KEY : host)

/** A helper would win over `auths`. An empty name turns off a helper that is set for all registries (`credsStore`). */
function helpersFor(keys: readonly string[], configuration: Readonly<Record<string, unknown>>) {
  const others = Object.entries(mapOf(configuration["credHelpers"])).filter(([host]) => !keys.includes(host))
  const off = configuration["credsStore"] ? keys.map((key) => [key, ""] as const) : []
  const helpers = [...others, ...off]
  return configuration["credHelpers"] === undefined && helpers.length === 0
    ? {}
    : { credHelpers: Object.fromEntries(helpers) }
}

function readConfiguration(path: string, { own }: ToolsContext): Readonly<Record<string, unknown>> {
  const text = own.text(path)
  if (text === null || text.trim() === "") return {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (isMap(parsed)) return parsed
  } catch {
    // Docker refuses such a file, too.
  }
  throw deliveryRefused(
    "The job's own Docker configuration (config.json) is not a JSON object, so no login can be added to it.",
  )
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const mapOf = (value: unknown) => (isMap(value) ? value : {})

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
