// Names every entry of the lock files that has no hash, and exits with 1 if there is one. A registry that lacks the packages
// of other platforms leaves their hashes out; npm then installs whatever it is given on those platforms.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { entriesWithoutIntegrity } from "./integrity.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const list = execFileSync("git", ["ls-files", "-z", "*package-lock.json"], { cwd: ROOT, encoding: "utf8" })
const files = list.split("\0").filter((file) => file !== "")
if (files.length === 0) throw new Error("git lists no package-lock.json")

let without = 0
for (const file of files) {
  for (const entry of entriesWithoutIntegrity(JSON.parse(readFileSync(join(ROOT, file), "utf8")))) {
    console.log(`${file}: ${entry} has no sha512 integrity`)
    without += 1
  }
}
const remedy =
  "Remove these entries from the lock file and run: npm install --package-lock-only --registry https://registry.npmjs.org"
console.log(without === 0 ? `${files.length} lock files: every entry has a hash.` : `${without} entries. ${remedy}`)
process.exitCode = without === 0 ? 0 : 1
