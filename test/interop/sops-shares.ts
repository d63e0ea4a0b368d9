import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { blocksBelow, followPage } from "./follow-page.ts"
import type { Check } from "./run.ts"
import type { Desk } from "./sops-desk.ts"

const PAGE = "break-glass.md"
const FILE = "emergency.yaml"
const SECRET = "an-example-of-a-secret-access-key"

/** What docs/break-glass.md says for when GitHub is down, with its commands as they stand there: one holder is never enough. */
export async function shares(desk: Desk, check: Check): Promise<void> {
  const makeShare = async (holder: number) => {
    const [block] = blocksBelow(PAGE, "### Make the shares")
    await desk.run(block?.text.replaceAll("holder-1", `holder-${holder}`) ?? "exit 1")
  }
  const keysOf = (holders: readonly number[]) => holders.map((one) => `holder-${one}.txt`).join(" ")
  const opens = (...holders: readonly number[]) =>
    desk.run(`SOPS_AGE_KEY="$(cat ${keysOf(holders)})" sops decrypt ${FILE}`)
  const staysShut = async (...holders: readonly number[]) => {
    const output = await desk.run(`! SOPS_AGE_KEY="$(cat ${keysOf(holders)})" sops decrypt ${FILE}`)
    assert.match(output, /Shamir\s+threshold/)
    assert.ok(!output.includes(SECRET))
  }
  const onDisk = () => readFileSync(join(desk.folder, FILE), "utf8")

  await check("a file is sealed with three shares as the page says", async () => {
    for (const holder of [1, 2, 3]) await makeShare(holder)
    await followPage(desk, PAGE, "### Seal the file")
    assert.match(onDisk(), /secret_access_key: ENC\[AES256_GCM,/)
    assert.match(onDisk(), /shamir_threshold: 2/)
    assert.ok(!onDisk().includes(SECRET))
  })
  await check("two holders open it as the page says, and so does every other pair", async () => {
    assert.ok((await followPage(desk, PAGE, "### Open it")).includes(SECRET))
    for (const pair of [
      [1, 2],
      [2, 3],
      [1, 2, 3],
    ])
      assert.ok((await opens(...pair)).includes(SECRET))
  })
  await check("no holder opens it alone, not even with the share twice", async () => {
    for (const holder of [1, 2, 3]) await staysShut(holder)
    await staysShut(1, 1)
  })
  await check(
    "a holder is replaced as the page says: the new one's share opens it, and the old one's does not",
    async () => {
      await makeShare(4)
      const before = onDisk()
      await followPage(desk, PAGE, "### Replace a holder")
      for (const pair of [
        [4, 2],
        [4, 3],
        [2, 3],
      ])
        assert.ok((await opens(...pair)).includes(SECRET))
      for (const holders of [[1, 2], [1, 3], [4], [1]]) await staysShut(...holders)
      assert.ok(onDisk() !== before)
    },
  )
}
