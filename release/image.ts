import { chmod, cp, mkdir } from "node:fs/promises"
import { join } from "node:path"
import { writeTar } from "./archive.ts"
import { ROOT, run, type Source } from "./place.ts"

/** Who the broker is in the image: "nonroot" of distroless images. The Dockerfile names the same. */
const IMAGE_USER = 65_532

/** The image's folder of data. Only the broker may read it. */
const DATA = "var/lib/daypass"

/**
 * Makes all that `docker build` needs: the Dockerfile, and `tree.tar`, the files of the image with their owners and modes. The
 * Dockerfile unpacks it and runs nothing.
 * @param packed the unpacked package
 */
export async function layOutImage(folder: string, packed: string, scratch: string, source: Source): Promise<void> {
  const tree = join(scratch, "tree")
  await cp(packed, join(tree, "opt/daypass"), { recursive: true })
  await mkdir(join(tree, "etc/daypass/policies"), { recursive: true })
  await mkdir(folder, { recursive: true })
  const file = join(folder, "tree.tar")
  await writeTar(file, tree, "", source)
  await mkdir(join(tree, DATA), { recursive: true })
  await chmod(join(tree, DATA), 0o700)
  const owner = [`--owner=${IMAGE_USER}`, `--group=${IMAGE_USER}`, "--numeric-owner", `--mtime=@${source.time}`]
  const empty = ["--format=gnu", "--mode=0700", "--no-recursion"]
  await run("tar", "--append", `--file=${file}`, `--directory=${tree}`, ...owner, ...empty, `./${DATA}`)
  await cp(join(ROOT, "release/Dockerfile"), join(folder, "Dockerfile"))
}
