import { readFile } from "node:fs/promises"
import { STSClient } from "@aws-sdk/client-sts"
import { expect, it } from "vitest"
import * as z from "zod"
import { audienceOf, conflictOf, connection, grant } from "../../broker/providers/aws/grant.ts"
import * as parameterStore from "../../broker/providers/aws/parameter-store/grant.ts"
import { endpointOf, PARTITIONS, partitionOf, stsAudienceOf } from "../../broker/providers/aws/partitions.ts"
import * as secretsManager from "../../broker/providers/aws/secrets-manager/grant.ts"
import { reservationOf, STS_AUDIENCES } from "../../broker/providers/reserved-audiences.ts"

// The SDK that we call STS with has AWS's own table, in a file that it does not export.
const TABLE = new URL(
  "../../node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js",
  import.meta.url,
)
const partition = z.object({
  id: z.string(),
  outputs: z.object({ dnsSuffix: z.string() }),
  regionRegex: z.string(),
  regions: z.record(z.string(), z.unknown()),
})

async function ofTheSdk() {
  const text = await readFile(TABLE, "utf8")
  const json: unknown = JSON.parse(text.replace(/^export const partitionsInfo = /, "").replace(/;\s*$/, ""))
  return z.object({ partitions: z.array(partition).min(8) }).parse(json).partitions
}

it("our partitions are the SDK's: their names, regions and DNS suffixes", async () => {
  const theirs = (await ofTheSdk()).map(({ id, outputs, regionRegex }) => ({
    name: id,
    regions: regionRegex.replaceAll("\\-", "-"),
    dnsSuffix: outputs.dnsSuffix,
  }))
  expect(PARTITIONS.map(({ regions, ...rest }) => ({ ...rest, regions: regions.source }))).toEqual(theirs)
})

it("every region of the SDK's has the partition and the endpoint of STS that the SDK gives it", async () => {
  const { endpointProvider } = new STSClient({ region: "eu-west-1" }).config
  const regions = (await ofTheSdk()).flatMap(({ id, regions: all }) =>
    Object.keys(all).flatMap((region) => (region.endsWith("-global") ? [] : [[region, id] as const])),
  )
  expect(regions.length).toBeGreaterThan(40)
  for (const [region, id] of regions) {
    const { url } = endpointProvider({ Region: region, UseFIPS: false, UseDualStack: false, UseGlobalEndpoint: false })
    expect(partitionOf(region).name).toBe(id)
    expect(`${endpointOf("sts", region)}/`, region).toBe(url.href)
  }
})

it("a connection in every region of the SDK's, and a grant of a role in its partition, pass and fit together", async () => {
  const all = (await ofTheSdk()).flatMap(({ id, outputs, regions }) =>
    Object.keys(regions).flatMap((region) =>
      region.endsWith("-global") ? [] : [{ id, region, suffix: outputs.dnsSuffix }],
    ),
  )
  for (const { id, region, suffix } of all) {
    const settings = connection.parse({ region, accounts: ["111122223333"] })
    const wanted = grant.parse({
      role: `arn:${id}:iam::111122223333:role/ci/deploy`,
      policy_arns: [`arn:${id}:iam::aws:policy/ReadOnlyAccess`],
    })
    expect(conflictOf(wanted, settings), region).toBeNull()
    expect(audienceOf(settings), region).toBe(`sts.${suffix}`)
    // A role of any other partition can never be assumed there.
    const abroad = PARTITIONS.find(({ name }) => name !== id)?.name
    expect(conflictOf(grant.parse({ role: `arn:${abroad}:iam::111122223333:role/deploy` }), settings)).toContain(id)
    for (const schema of [secretsManager.connection, parameterStore.connection]) {
      const role = `arn:${id}:iam::111122223333:role/daypass-read`
      expect(schema.safeParse({ region, role }).success, region).toBe(true)
      expect(schema.safeParse({ region, role: role.replace(id, `${abroad}`) }).success, region).toBe(false)
    }
  }
})

it("no job is handed a token for what roles of any partition are told to trust", () => {
  const suffixes = new Set(PARTITIONS.map(({ dnsSuffix }) => `sts.${dnsSuffix}`))
  expect(STS_AUDIENCES).toEqual(suffixes)
  for (const region of ["eu-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-gov-west-1"])
    expect(reservationOf(stsAudienceOf(region))).toContain("provider: aws")
})
