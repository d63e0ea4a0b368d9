import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { fail, ok, type Result } from "../../../broker/core/result.ts"

const MAX_OUTPUT = 64 * 1024 * 1024

/** The files of a checkout that git-crypt encrypts, by its attributes. Asks git, and never git-crypt itself. */
export function gitCryptFiles(folder: string): Result<readonly string[], string> {
  const git = (args: readonly string[], input?: string) =>
    // The configuration of a checkout can name a program here.
    execFileSync("git", ["-c", "core.fsmonitor=false", "-C", folder, ...args], {
      encoding: "utf8",
      maxBuffer: MAX_OUTPUT,
      stdio: ["pipe", "pipe", "ignore"],
      ...(input !== undefined && { input }),
    })
  try {
    const files = git(["ls-files", "-z"])
    const fields = git(["check-attr", "-z", "--stdin", "filter"], files).split("\0")
    const found: string[] = []
    // Three fields each: the path, the attribute, its value. A key of git-crypt may have a name: git-crypt-NAME.
    for (let at = 0; at + 2 < fields.length; at += 3)
      if (/^git-crypt(?:-.+)?$/.test(fields[at + 2] ?? "")) found.push(join(folder, fields[at] ?? ""))
    return found.length > 0
      ? ok(found)
      : fail(`${folder} has no file that git-crypt encrypts: name the files themselves`)
  } catch {
    return fail(`git cannot list the files of ${folder}: is it a checkout, and is git installed?`)
  }
}
