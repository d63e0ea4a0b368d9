import { readFile, rm, writeFile } from "node:fs/promises"
import { promisify } from "node:util"
import { gzip } from "node:zlib"
import { run, type Source } from "./place.ts"

/** Sorted, with one time, one owner and modes that do not depend on the umask: the same files give the same bytes. */
const SAME_BYTES = ["--format=gnu", "--sort=name", "--numeric-owner", "--mode=u=rwX,go=rX"]

/**
 * Writes `folder`'s content as a tar file. Needs GNU tar.
 * @param root the folder that its names begin with; empty: none
 */
export async function writeTar(file: string, folder: string, root: string, { time }: Source): Promise<void> {
  const names = root === "" ? [] : [`--transform=s,^\\./,${root}/,S`, `--transform=s,^\\.$,${root},S`]
  const owner = ["--owner=0", "--group=0", `--mtime=@${time}`]
  await run("tar", ...SAME_BYTES, ...owner, ...names, "--create", `--file=${file}`, `--directory=${folder}`, ".")
}

/** As `writeTar`, and compresses it. */
export async function writeArchive(file: string, folder: string, root: string, source: Source): Promise<void> {
  const tar = `${file}.tar`
  await writeTar(tar, folder, root, source)
  await writeFile(file, await promisify(gzip)(await readFile(tar), { level: 9 }))
  await rm(tar)
}
