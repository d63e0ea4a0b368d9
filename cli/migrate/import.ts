import { existsSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { complain, impossible, misused, reasonOf } from "../arguments.ts"
import { counted } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { gitCryptFiles } from "./import/git-crypt.ts"
import { recipientsFor } from "./import/recipients.ts"
import { sopsFile, type Values } from "./import/sops-file.ts"
import { cutAtHash, valuesOf } from "./import/values.ts"

/** `daypass migrate import`. */
export async function run({ options, positionals }: Arguments, io: CliIo): Promise<number> {
  const { into, age, repository, policies } = options
  const trust = positionals.filter((path) => /\.sts\.ya?ml$/.test(path))
  if (trust.length > 0) {
    if (trust.length < positionals.length || into !== undefined || age !== undefined)
      return misused("import trust policies of octo-sts alone, without --into and --age")
    const { importTrust } = await import("./import/octo-sts/import-trust.ts")
    return importTrust(trust, { repository: text(repository), folder: text(policies) ?? "policies" }, io)
  }
  const target = text(into)
  if (target === undefined || !/\.sops\.ya?ml$/.test(target))
    return misused("migrate import needs --into: a new file that ends in .sops.yaml")
  return importValues(positionals, target, text(age), io)
}

const text = (option: string | boolean | undefined) =>
  typeof option === "string" && option !== "" ? option : undefined

async function importValues(
  sources: readonly string[],
  named: string,
  age: string | undefined,
  io: CliIo,
): Promise<number> {
  const target = resolve(io.cwd, named)
  if (existsSync(target)) return taken(named, io)
  const recipients = recipientsFor(target, age)
  if (!recipients.ok) return impossible(recipients.fault, io)
  const values = new Map<string, { readonly value: string; readonly from: string }>()
  for (const source of sources) {
    const read = await valuesIn(source, io)
    if (typeof read === "string") return impossible(read, io)
    for (const [from, found] of read) {
      for (const [key, value] of found) {
        const known = values.get(key)
        if (known !== undefined && known.value !== value)
          return impossible(
            `${known.from} and ${from} have different values for ${key}: import them into two files`,
            io,
          )
        values.set(key, { value, from })
      }
    }
  }
  const all: Values = [...values].map(([key, { value }]) => [key, value])
  try {
    await io.createFile(target, await sopsFile(all, recipients.value, io.now()))
  } catch (error) {
    const reason = reasonOf(error)
    return reason === "EEXIST" ? taken(named, io) : impossible(`${named} cannot be written (${reason})`, io)
  }
  io.out(
    inert(`wrote ${named}: ${counted(all.length, "value")}, for ${counted(recipients.value.length, "key")} of age`),
  )
  for (const [key] of all) io.out(inert(`  ${key}`))
  io.out("People who had the old files know the values. Issue new ones where you can, before you delete the files.")
  return EXIT.ok
}

/** The values of a source, by their files. A text says why it cannot be read. */
async function valuesIn(source: string, io: CliIo): Promise<ReadonlyMap<string, Values> | string> {
  const path = resolve(io.cwd, source)
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  const files = isFolder ? gitCryptFiles(path) : { ok: true as const, value: [path] }
  if (!files.ok) return files.fault
  const found = new Map<string, Values>()
  for (const file of files.value) {
    let bytes: Uint8Array
    try {
      bytes = await io.readFile(file)
    } catch (error) {
      return `${file} cannot be read (${reasonOf(error)})`
    }
    const values = valuesOf(file, bytes)
    if (!values.ok) return values.fault
    for (const name of cutAtHash(file, bytes))
      complain(
        `${file}: dotenv ends the value of ${name} before its #. If the # belongs to the value, quote it, and import again`,
        io,
      )
    found.set(file, values.value)
  }
  return found
}

function taken(target: string, io: CliIo): number {
  complain(`${target} exists already, and import never overwrites a file: add values to it with sops edit`, io)
  return EXIT.no
}
