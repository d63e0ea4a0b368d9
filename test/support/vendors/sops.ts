import { readFileSync } from "node:fs"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const read = (name: string) => readFileSync(new URL(`../../vectors/sops/${name}`, import.meta.url), "utf8")

const FOLDER = "secrets/tools"
const FILES = ["every-type.sops.yaml", "every-type.sops.env", "binary.sops.json", "pages.sops.yaml"]
const GRANT = "sops-secrets"

/** Files that the real sops wrote, and the age key that opens them. Nobody is asked for anything. */
export const startSopsVendor: StartVendor = async () => {
  const opened = JSON.parse(read("opened.json"))
  const binary = Buffer.from(opened["binary.sops.json"].data.base64, "base64")
  return {
    name: "sops",
    gives: "secrets out of SOPS files beside the policies",
    connections: { "sops-tools": { provider: "sops", key: "env:SOPS_AGE_KEY", folder: FOLDER } },
    grants: {
      [GRANT]: {
        connection: "sops-tools",
        read: {
          SOPS_DB_PASSWORD: "every-type.sops.yaml#database/password",
          SOPS_DB_PORT: "every-type.sops.yaml#database/port",
          SOPS_REGION: "every-type.sops.yaml#region_unencrypted",
          SOPS_DOTENV: "every-type.sops.env#DB_PASSWORD",
          SOPS_BINARY: { from: "binary.sops.json#data", as: "file", mode: "0400" },
        },
        read_all: { from: "pages.sops.yaml", prefix: "SOPS_PAGES_" },
      },
    },
    secrets: { SOPS_AGE_KEY: read("test-only.age-key.txt") },
    files: Object.fromEntries(FILES.map((name) => [`${FOLDER}/${name}`, read(name)])),
    trust() {},
    check(run) {
      const { env, masks } = run
      const { password, port, region } = {
        password: opened["every-type.sops.yaml"]["database/password"],
        port: `${opened["every-type.sops.yaml"]["database/port"]}`,
        region: opened["every-type.sops.yaml"].region_unencrypted,
      }
      const pages = opened["pages.sops.yaml"]
      return [
        ["a whole file is there, by its keys", env["SOPS_PAGES_STRIPE_KEY"] === pages["stripe/key"]],
        ["it is masked", masks.includes(pages["stripe/key"])],
        ["the variables are what sops opens", env["SOPS_DB_PASSWORD"] === password && env["SOPS_DB_PORT"] === port],
        ["so is that of a dotenv file", env["SOPS_DOTENV"] === opened["every-type.sops.env"].DB_PASSWORD],
        [
          "bytes arrive as a file, as they were",
          fileOf(run, "SOPS_BINARY", "hex") === `0400 ${binary.toString("hex")}`,
        ],
        [
          "what is encrypted is masked, except a port, which is too common",
          masks.includes(password) && !masks.includes(port),
        ],
        ["what the file leaves in the clear is not", env["SOPS_REGION"] === region && !masks.includes(region)],
      ]
    },
    checkEnd: ({ log }) => [expiresOnly(log, GRANT)],
    requests: [],
    alive: () => 0,
    assertClean() {},
    close: async () => {},
  }
}
