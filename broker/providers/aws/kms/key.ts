import * as z from "zod"
import { endpoint, role } from "../grant.ts"
import { isRegion, PARTITIONS } from "../partitions.ts"

const PARTITION = PARTITIONS.map(({ name }) => name).join("|")
/** The ARN of a key or an alias (AWS KMS Developer Guide, "Key identifiers"). */
const KEY_ARN = new RegExp(
  `^arn:(${PARTITION}):kms:([a-z0-9-]{1,32}):([0-9]{12}):(key/(?:mrk-)?[0-9a-f-]{32,36}|alias/[A-Za-z0-9/_-]{1,250})$`,
)

export const entry = z.strictObject({
  key: z
    .string()
    .regex(KEY_ARN, {
      error:
        "must be the ARN of a key or an alias, as in .sops.yaml: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
      abort: true,
    })
    .refine((arn) => isRegion(keyParts(arn).region), "names no region of AWS"),
  role,
  endpoint: endpoint.optional(),
})

export type Entry = z.output<typeof entry>

/** The parts of a key's ARN. Only for ARNs that passed the schema. */
export function keyParts(arn: string) {
  const [, partition = "", region = "", account = "", id = ""] = KEY_ARN.exec(arn) ?? []
  return { partition, region, account, id }
}
