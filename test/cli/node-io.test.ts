import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { createFile } from "../../cli/node-io.ts"
import { folderOf } from "./run-cli.ts"

describe("making a file", () => {
  it("makes the folders above it, and leaves nothing else behind", async () => {
    const folder = folderOf({})
    await createFile(join(folder, "a/b/c.yaml"), "text\n")
    expect(readFileSync(join(folder, "a/b/c.yaml"), "utf8")).toBe("text\n")
    expect(readdirSync(join(folder, "a/b"))).toEqual(["c.yaml"])
  })

  it("lets one of many win, whole, and replaces nothing", async () => {
    const folder = folderOf({})
    const file = join(folder, "c.yaml")
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(10_000))
    const outcomes = await Promise.allSettled(texts.map((text) => createFile(file, text)))
    const winners = outcomes.flatMap(({ status }, index) => (status === "fulfilled" ? [texts[index]] : []))
    expect(winners).toEqual([readFileSync(file, "utf8")])
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "EEXIST" })
    }
    expect(readdirSync(folder)).toEqual(["c.yaml"])
  })

  it("takes a folder, and a link that leads nowhere, for something that is there", async () => {
    const folder = folderOf({})
    mkdirSync(join(folder, "folder.yaml"))
    symlinkSync("/nonexistent/elsewhere", join(folder, "link.yaml"))
    for (const name of ["folder.yaml", "link.yaml"]) {
      await expect(createFile(join(folder, name), "text")).rejects.toMatchObject({ code: "EEXIST" })
    }
    expect(readdirSync(folder).sort()).toEqual(["folder.yaml", "link.yaml"])
  })
})
