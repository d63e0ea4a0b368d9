import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Of the base image that the Dockerfile names: https://github.com/GoogleContainerTools/distroless */
const NODE_IN_IMAGE = "nodejs/bin/node"
/** What Node itself needs of the base image, taken from this machine. */
const BASE = ["lib", "lib64", "usr", "dev", "proc"]

export interface Dockerfile {
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly healthcheck: readonly string[]
  readonly volume: readonly string[]
}

/** What a Dockerfile says of how its image runs. Throws for one that builds anything by running it. */
export function readDockerfile(file: string): Dockerfile {
  const text = readFileSync(file, "utf8").replace(/\\\n\s*/g, "")
  const lines = text.split("\n").filter((line) => /^[A-Z]+ /.test(line))
  const after = (word: string) => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? ""
  const list = (word: string, before = /^/): string[] => JSON.parse(after(word).replace(before, ""))
  const running = lines.filter((line) => /^(?:RUN|SHELL|ONBUILD) /.test(line))
  if (running.length > 0) throw new Error(`the Dockerfile runs ${running.join(", ")}`)
  if (!/^\S+@sha256:[0-9a-f]{64}$/.test(after("FROM")))
    throw new Error("the Dockerfile names its base without a digest")
  return {
    user: after("USER"),
    entrypoint: list("ENTRYPOINT"),
    cmd: list("CMD"),
    healthcheck: list("HEALTHCHECK", /^.*?CMD /),
    volume: list("VOLUME"),
  }
}

/** A container without Docker: the image's files as a root that cannot be written, another user, and no environment. */
export interface Container {
  /** The command with which a program runs in it, with these variables (`NAME=VALUE`) and no other. */
  command(args: readonly string[], variables: readonly string[]): string[]
}

/**
 * Unpacks the image's files with their owners, and puts under them what the base image has. Needs the rights to mount and to be
 * another user.
 * @param policies is mounted, as a user of the image does
 */
export function makeContainer(
  folder: string,
  tree: string,
  { user, volume }: Dockerfile,
  { node, policies }: { readonly node: string; readonly policies: string },
): Container {
  const root = join(folder, "root")
  mkdirSync(root)
  execFileSync("tar", ["--extract", "--numeric-owner", "--same-owner", `--file=${tree}`, `--directory=${root}`])
  for (const name of BASE) mkdirSync(join(root, name))
  mkdirSync(join(root, "nodejs/bin"), { recursive: true })
  writeFileSync(join(root, NODE_IN_IMAGE), "")
  // Docker gives a volume the owner and the modes that the image has in its place, and so does this.
  const [data = ""] = volume
  const kept = join(folder, "volume")
  execFileSync("cp", ["--archive", join(root, data), kept])
  const script = `set -eu
mount --bind "$1" "$1"
cd "$1"
for name in ${BASE.join(" ")}; do mount --rbind "/$name" "./$name"; done
mount --bind "$2" ./${NODE_IN_IMAGE}
mount --bind "$3" ./etc/daypass/policies
mount --bind "$4" .${data}
mount -o remount,bind,ro "$1"
shift 4
exec env -i "$@"`
  const around = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "container"]
  const places = [root, node, policies, kept]
  // By its path: the environment has none.
  const chroot = execFileSync("sh", ["-c", "command -v chroot"], { encoding: "utf8" }).trim()
  const as = [`--userspec=${user}`, `--groups=${user.split(":")[1]}`]
  return { command: (args, variables) => [...around, ...places, ...variables, chroot, ...as, root, ...args] }
}
