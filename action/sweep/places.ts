import { basename, delimiter, dirname, join } from "node:path"

/** Where a job's files are. Null for what the runner did not set. */
export interface Surrounding {
  readonly workspace: string | null
  readonly temp: string | null
  readonly home: string | null
  /** The environment of now: tools find their files by it. */
  readonly variables: Readonly<Record<string, string | undefined>>
}

/** The files in which tools keep credentials, whether they exist or not. */
export function toolFiles({ home, workspace, variables }: Surrounding): readonly string[] {
  const set = (name: string) => variables[name] ?? ""
  const at = (folder: string | null, ...names: string[]) =>
    folder === null || folder === "" ? [] : names.map((name) => join(folder, name))
  const config = set("XDG_CONFIG_HOME") === "" ? (home === null ? null : join(home, ".config")) : set("XDG_CONFIG_HOME")
  const named = ["GIT_CONFIG_GLOBAL", "NETRC", "NPM_CONFIG_USERCONFIG", "npm_config_userconfig"]
  const paths = [
    ...at(workspace, ".git/config", ".npmrc", ".yarnrc.yml", ".netrc"),
    ...at(home, ".gitconfig", ".git-credentials", ".netrc", "_netrc", ".npmrc", ".yarnrc.yml", ".pypirc"),
    ...at(home, ".docker/config.json", ".kube/config", ".aws/credentials", ".aws/config", ".cargo/credentials.toml"),
    ...at(home, ".m2/settings.xml", ".gem/credentials", ".terraform.d/credentials.tfrc.json", ".config/gh/hosts.yml"),
    ...at(config, "git/config", "git/credentials", "gcloud/application_default_credentials.json", "pip/pip.conf"),
    ...at(set("DOCKER_CONFIG"), "config.json"),
    ...named.map(set),
    // The only one of them that has a list.
    ...set("KUBECONFIG").split(delimiter),
  ]
  return [...new Set(paths.filter((path) => path !== ""))]
}

/** The runner's files for commands, among them the summaries of all steps. */
export const commandFolder = (temp: string): string => join(temp, "_runner_file_commands")

/**
 * Files that contain the values because this delivery needs it: the runner's own command files, and the folders of Daypass
 * steps. The runner empties its temporary folder after the job.
 */
export function isKnown(path: string, temp: string | null): boolean {
  if (temp === null) return false
  if (dirname(path) === commandFolder(temp)) return /^(?:set_env|set_output|save_state)_/.test(basename(path))
  const [first = ""] =
    path.startsWith(`${temp}/`) || path.startsWith(`${temp}\\`) ? path.slice(temp.length + 1).split(/[/\\]/) : []
  return STEP_FOLDER.test(first)
}

export const STEP_FOLDER = /^daypass-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Folders of the workspace that are not walked with the rest: git's compressed objects, and packages, which come last. */
export function isSkipped(path: string, name: string): boolean {
  return (name === "objects" || name === "lfs") && path.split(/[/\\]/).includes(".git")
}

export const PACKAGES = "node_modules"
