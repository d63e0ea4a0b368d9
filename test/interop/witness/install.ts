import { fileURLToPath } from "node:url"
import { buildWithGo } from "../go-build.ts"

const HERE = fileURLToPath(new URL(".", import.meta.url))

/**
 * Builds the witness of transparency-dev, at the version and with the hashes that go.sum pins, once a version of these files.
 * Resolves to the program.
 * @param programs where the toolchain's `go` is
 * @throws when it cannot be built: a run without it would prove nothing
 */
export const installWitness = (programs: string): Promise<string> =>
  buildWithGo(programs, {
    name: "witness",
    from: HERE,
    files: ["go.mod", "go.sum", "main.go"],
    package: ".",
  })
