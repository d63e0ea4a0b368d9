import { readFileSync } from "node:fs"
import { identityToRecipient } from "age-encryption"
import { startAwsStores } from "../aws-stores.ts"
import { ageEncrypted, DATA_KEY, shopFor } from "../sops-file.ts"
import { startSts } from "../sts.ts"
import type { StartVendor } from "../vendor.ts"
import { fileOf } from "./delivered-file.ts"
import { expiresOnly } from "./end-of-job.ts"

const read = (name: string) => readFileSync(new URL(`../../vectors/sops/${name}`, import.meta.url), "utf8")

const FOLDER = "secrets/tools"
const FILES = ["every-type.sops.yaml", "every-type.sops.env", "binary.sops.json", "pages.sops.yaml"]
const GRANT = "sops-secrets"

/** Made only for this test. */
const PQ_KEY = "AGE-SECRET-KEY-PQ-1MYT5X4Y2ZRA3PN3NMC4ERMJK2H0V57WNRZT7JG928VA7PUNW9V9SNCAMEY"
const KMS_GRANT = "sops-kms-secrets"
const ROLE = "arn:aws:iam::111122223333:role/daypass-sops"
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

/** Files that the real sops wrote, and the age key that opens them; and one under a key of AWS KMS, which opens that one. */
export const startSopsVendor: StartVendor = async () => {
  const sts = await startSts()
  const aws = await startAwsStores(() => sts.issued)
  aws.keys.add({ arn: KEY })
  aws.permit(ROLE, [{ actions: ["kms:Decrypt"], resources: [KEY] }])
  const context = { team: "tools" }
  const enc = aws.keys.encrypt(KEY, DATA_KEY, context)
  const recipient = await identityToRecipient(PQ_KEY)
  const postQuantum = shopFor({ age: [{ recipient, enc: await ageEncrypted(recipient, DATA_KEY) }] })
  const underKms = shopFor({ kms: [{ arn: KEY, context, created_at: "2026-11-29T21:43:59Z", enc, aws_profile: "" }] })
  const opened = JSON.parse(read("opened.json"))
  const binary = Buffer.from(opened["binary.sops.json"].data.base64, "base64")
  return {
    name: "sops",
    gives: "secrets out of SOPS files beside the policies",
    connections: {
      "sops-kms": {
        provider: "sops",
        folder: FOLDER,
        keys: [{ connection: "sops-aws", role: ROLE, key: KEY, endpoint: aws.url }],
      },
      "sops-tools": { provider: "sops", key: "env:SOPS_AGE_KEY", folder: FOLDER },
      "sops-aws": { provider: "aws", region: "eu-west-1", accounts: ["111122223333"], endpoint: sts.url },
    },
    grants: {
      [KMS_GRANT]: { connection: "sops-kms", read: { SOPS_KMS_PASSWORD: "kms.sops.yaml#database/password" } },
      [GRANT]: {
        connection: "sops-tools",
        read: {
          SOPS_DB_PASSWORD: "every-type.sops.yaml#database/password",
          SOPS_DB_PORT: "every-type.sops.yaml#database/port",
          SOPS_REGION: "every-type.sops.yaml#region_unencrypted",
          SOPS_DOTENV: "every-type.sops.env#DB_PASSWORD",
          SOPS_POST_QUANTUM: "pq.sops.yaml#database/user",
          SOPS_BINARY: { from: "binary.sops.json#data", as: "file", mode: "0400" },
        },
        read_all: { from: "pages.sops.yaml", prefix: "SOPS_PAGES_" },
      },
    },
    secrets: { SOPS_AGE_KEY: `${read("test-only.age-key.txt")}\n${PQ_KEY}\n` },
    files: {
      ...Object.fromEntries(FILES.map((name) => [`${FOLDER}/${name}`, read(name)])),
      [`${FOLDER}/kms.sops.yaml`]: underKms,
      [`${FOLDER}/pq.sops.yaml`]: postQuantum,
    },
    trust({ issuer, subject }) {
      const StringEquals = subject(KMS_GRANT)
      // The client ids of the account's OIDC provider: of the broker's own logins, and of those for jobs, which the doctor asks by.
      const audiences = ["daypass-aws-stores", "sts.amazonaws.com"]
      sts.addRole({ arn: ROLE, issuer, audiences, subject: { StringEquals }, tagSession: true })
    },
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
        [
          "a file under a key of AWS KMS is opened with one call",
          env["SOPS_KMS_PASSWORD"] === "canary-of-the-password",
        ],
        ["a file for a post-quantum key of age is opened", env["SOPS_POST_QUANTUM"] === "shop"],
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
    checkEnd: ({ log }) => [expiresOnly(log, GRANT, KMS_GRANT)],
    fail: (how) => aws.fail(how),
    get requests() {
      return [...sts.requests, ...aws.requests]
    },
    alive: () => 0,
    assertClean() {
      sts.assertClean()
      aws.assertClean()
    },
    async close() {
      await aws.close()
      await sts.close()
    },
  }
}
