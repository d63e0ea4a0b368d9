import { fileURLToPath } from "node:url"
import { buildWithGo } from "../go-build.ts"

const HERE = fileURLToPath(new URL(".", import.meta.url))

/**
 * Builds actionlint, which checks workflows, at the version and with the hashes that go.sum pins, once a version of these
 * files. Resolves to the program. Its packages for npm are years old and do not know today's runners.
 * @param programs where the toolchain's `go` is
 * @throws when it cannot be built: a run without it would prove nothing
 */
export const installActionlint = (programs: string): Promise<string> =>
  buildWithGo(programs, {
    name: "actionlint",
    from: HERE,
    files: ["go.mod", "go.sum"],
    package: "github.com/rhysd/actionlint/cmd/actionlint",
  })
