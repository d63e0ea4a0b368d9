import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { Question } from "../../broker/adapters/github/app.ts"
import {
  createRepositoryPolicyReader,
  type RepositoryReading,
} from "../../broker/adapters/github/repository-policies.ts"
import type { GitFiles } from "../support/github-api.ts"
import { ACME, type GitHubWorld, makeGitHubWorld, OTHERS, SHOP_ID } from "./github-world.ts"

let world: GitHubWorld
beforeEach(async () => {
  world = await makeGitHubWorld()
})
afterEach(() => world.api.close())

type Memory = Extract<RepositoryReading, { readonly outcome: "files" | "absent" }>["memory"]

const read = (memory: Memory | null = null, ownerId = String(ACME.id)) =>
  createRepositoryPolicyReader(world.app, world.clock).read({ unitId: String(SHOP_ID), ownerId }, memory)

async function readFiles(memory: Memory | null = null) {
  const reading = await read(memory)
  if (reading.outcome !== "files") throw new Error(JSON.stringify(reading))
  return reading
}

async function textsOf(files: GitFiles) {
  world.shop.push(files)
  const { files: read } = await readFiles()
  return read.map(({ path, bytes, refused }) => [path, refused ?? new TextDecoder().decode(bytes)])
}

const DIR = ".github/daypass"
const below = (path: string) => `GET /repositories/${SHOP_ID}${path}`

describe("a repository's own policies", () => {
  test("are the files on its default branch, with their paths and their bytes", async () => {
    const bytes = new Uint8Array([0, 255, 128, 10])
    world.shop.push({ "README.md": "# Shop", [`${DIR}/a.yaml`]: "a: ü\n", [`${DIR}/b.yaml`]: bytes })
    const reading = await readFiles()
    expect(reading.fullName).toBe("acme/shop")
    expect(reading.treeSha).toMatch(/^[0-9a-f]{40}$/)
    expect(reading.files).toEqual([
      { path: `${DIR}/a.yaml`, bytes: new TextEncoder().encode("a: ü\n") },
      { path: `${DIR}/b.yaml`, bytes },
    ])
  })

  test("are those of the default branch, whatever its name, and of no other", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "main" })
    world.shop.push({ [`${DIR}/a.yaml`]: "release" }, "release/2026 %41")
    world.shop.defaultBranch = "release/2026 %41"
    const { files } = await readFiles()
    expect(new TextDecoder().decode(files[0]?.bytes)).toBe("release")
  })

  test("are not those of a tag that has the default branch's name", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "reviewed" })
    world.shop.tag("main", { [`${DIR}/a.yaml`]: "pushed by anybody" })
    world.shop.tag("heads/main", { [`${DIR}/a.yaml`]: "pushed by anybody" })
    const { files } = await readFiles()
    expect(new TextDecoder().decode(files[0]?.bytes)).toBe("reviewed")
  })

  test("leave out tests, folders, names with a dot in front, and what is no YAML", async () => {
    const files = {
      [`${DIR}/a.yaml`]: "a",
      [`${DIR}/a.test.yaml`]: "test",
      [`${DIR}/b.test.yaml`]: { symlink: "a.yaml" },
      [`${DIR}/more/b.yaml`]: "below",
      [`${DIR}/folder.yaml/c.yaml`]: "below",
      [`${DIR}/.hidden.yaml`]: "hidden",
      [`${DIR}/README.md`]: "readme",
    }
    expect(await textsOf(files)).toEqual([[`${DIR}/a.yaml`, "a"]])
  })

  test("hold what the loader must complain of: .yml and .YAML", async () => {
    const files = await textsOf({ [`${DIR}/a.yml`]: "a", [`${DIR}/b.YAML`]: "b" })
    expect(files.map(([path]) => path)).toEqual([`${DIR}/a.yml`, `${DIR}/b.YAML`])
  })

  test("may be marked as executable", async () => {
    expect(await textsOf({ [`${DIR}/a.yaml`]: { executable: "a" } })).toEqual([[`${DIR}/a.yaml`, "a"]])
  })

  const refusedEntries: [string, GitFiles, string, RegExp][] = [
    ["a policy that is a symlink", { [`${DIR}/a.yaml`]: { symlink: "../../other.yaml" } }, `${DIR}/a.yaml`, /symlink/],
    ["a policy that is a submodule", { [`${DIR}/a.yaml`]: { submodule: "x" } }, `${DIR}/a.yaml`, /submodule/],
    ["a policy over 64 KiB", { [`${DIR}/a.yaml`]: "x".repeat(64 * 1024 + 1) }, `${DIR}/a.yaml`, /64 KiB/],
    ["a folder that is a symlink", { [DIR]: { symlink: "../elsewhere" } }, DIR, /must be a folder/],
    ["a folder that is a submodule", { [DIR]: { submodule: "x" } }, DIR, /must be a folder/],
    ["a folder that is a file", { [DIR]: "x" }, DIR, /must be a folder/],
    [".github that is a symlink", { ".github": { symlink: "elsewhere" } }, ".github", /must be a folder/],
    [".github that is a submodule", { ".github": { submodule: "x" } }, ".github", /must be a folder/],
    [".github that is a file", { ".github": "x" }, ".github", /must be a folder/],
  ]
  test.each(refusedEntries)(
    "are refused with the reason for %s, which is not fetched",
    async (_, files, path, reason) => {
      world.shop.push({ "README.md": "# Shop", ...files })
      const reading = await readFiles()
      expect(reading.files).toEqual([{ path, bytes: new Uint8Array(), refused: expect.stringMatching(reason) }])
      expect(world.asked().filter((line) => line.includes("/blobs/"))).toEqual([])
    },
  )

  test("may be exactly 64 KiB long", async () => {
    expect(await textsOf({ [`${DIR}/a.yaml`]: "x".repeat(64 * 1024) })).toEqual([
      [`${DIR}/a.yaml`, "x".repeat(64 * 1024)],
    ])
  })

  test("are 32 files at most", async () => {
    const files = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${DIR}/${index}.yaml`, `file: ${index}`]))
    expect(await textsOf(files(32))).toHaveLength(32)
    world.asked()
    expect(await textsOf(files(33))).toEqual([[DIR, expect.stringContaining("at most 32")]])
    expect(world.asked().filter((line) => line.includes("/blobs/"))).toEqual([])
  })
})

describe("there are none, on GitHub's word,", () => {
  const cases: [string, GitFiles | null][] = [
    ["when there is no .github", { "README.md": "# Shop" }],
    ["when there is no folder in .github", { ".github/workflows/ci.yaml": "on: push" }],
    ["when the folder holds no policy", { [`${DIR}/README.md`]: "none yet" }],
    ["when only the name of another folder is alike", { ".github/Daypass/a.yaml": "a", ".GitHub/daypass/a.yaml": "a" }],
    ["when the repository has no commit", null],
  ]
  test.each(cases)("%s", async (_, files) => {
    if (files) world.shop.push(files)
    else world.shop.branches.clear()
    expect(await read()).toMatchObject({ outcome: "absent", fullName: "acme/shop" })
  })
})

describe("read again", () => {
  test("unchanged, they cost two conditional requests and come back as they are", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    const first = await readFiles()
    world.asked()
    const second = await readFiles(first.memory)
    expect(world.asked()).toEqual([`${below("")} 304`, `${below("/git/ref/heads/main")} 304`])
    expect(second.files).toBe(first.files)
    expect(second.treeSha).toBe(first.treeSha)
  })

  test("after a commit beside them, they cost the list of the root besides", async () => {
    world.shop.push({ "README.md": "1", [`${DIR}/a.yaml`]: "a" })
    const first = await readFiles()
    const commit = world.shop.push({ "README.md": "2", [`${DIR}/a.yaml`]: "a" })
    world.asked()
    const second = await readFiles(first.memory)
    expect(world.asked().slice(1)).toEqual([
      `${below("/git/ref/heads/main")} 200`,
      `${below(`/git/trees/${commit}`)} 200`,
    ])
    expect(second.files).toBe(first.files)
  })

  test("after a commit beside them in .github, the files are not fetched again", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    const first = await readFiles()
    world.shop.push({ [`${DIR}/a.yaml`]: "a", ".github/CODEOWNERS": "* @acme/shop" })
    const second = await readFiles(first.memory)
    expect(second.files).toBe(first.files)
  })

  test("after a change of one, only that one is fetched", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a", [`${DIR}/b.yaml`]: "b" })
    const first = await readFiles()
    world.shop.push({ [`${DIR}/a.yaml`]: "a", [`${DIR}/b.yaml`]: "b2" })
    world.asked()
    const second = await readFiles(first.memory)
    expect(world.asked().filter((line) => line.includes("/blobs/"))).toHaveLength(1)
    expect(second.treeSha).not.toBe(first.treeSha)
    expect(second.files.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(["a", "b2"])
  })

  test("after they were removed, they are gone; after they came back, they are there", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    const first = await readFiles()
    world.shop.push({ "README.md": "# Shop" })
    const second = await read(first.memory)
    if (second.outcome !== "absent") throw new Error(second.outcome)
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    expect((await readFiles(second.memory)).files).toEqual(first.files)
  })

  test("after the first commit of an empty repository, they are there", async () => {
    world.shop.branches.clear()
    const first = await read()
    if (first.outcome !== "absent") throw new Error(first.outcome)
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    expect((await readFiles(first.memory)).files).toHaveLength(1)
  })

  test("after another branch became the default one, they are that branch's", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "main" })
    const first = await readFiles()
    world.shop.push({ [`${DIR}/a.yaml`]: "trunk" }, "trunk")
    world.shop.defaultBranch = "trunk"
    const etags: unknown[] = []
    const watched = {
      get: (question: Question) => {
        etags.push(question.etag)
        return world.app.get(question)
      },
    }
    const subject = { unitId: String(SHOP_ID), ownerId: String(ACME.id) }
    const reading = await createRepositoryPolicyReader(watched, world.clock).read(subject, first.memory)
    if (reading.outcome !== "files") throw new Error(reading.outcome)
    expect(new TextDecoder().decode(reading.files[0]?.bytes)).toBe("trunk")
    // What is known of one branch is no condition on another.
    expect(etags.slice(0, 2)).toEqual([expect.any(String), null])
  })

  test("after a rename, they are under the new name, and nobody was asked by a name", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    const first = await readFiles()
    world.shop.name = "store"
    expect((await readFiles(first.memory)).fullName).toBe("acme/store")
    expect(world.api.requests.filter((line) => line.includes("/repos/"))).toEqual([])
  })

  test("after a transfer, they are refused to jobs of the former owner", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    const first = await readFiles()
    world.api.install(OTHERS)
    world.shop.owner = OTHERS
    expect(await read(first.memory)).toEqual({ outcome: "no-access", why: "owner-changed" })
    expect(await read(null, String(OTHERS.id))).toMatchObject({ outcome: "files", fullName: "globex/shop" })
  })
})

describe("nothing but GitHub's word means that there are none:", () => {
  const ROUTES: [string, RegExp][] = [
    ["the repository", /^\/repositories\/41$/],
    ["its default branch", /\/git\/ref\//],
    ["a folder", /\/git\/trees\//],
    ["a file", /\/git\/blobs\//],
  ]
  const SHA = "0".repeat(40)
  const ANSWERS: [string, number, unknown][] = [
    ["400", 400, { message: "Bad Request" }],
    ["401", 401, { message: "Bad credentials" }],
    ["403", 403, { message: "Resource not accessible by integration" }],
    ["404", 404, { message: "Not Found" }],
    ["404 that speaks of emptiness", 404, { message: "Git Repository is empty." }],
    ["409 for another reason", 409, { message: "Conflict" }],
    ["410", 410, { message: "Gone" }],
    ["422", 422, { message: "Validation Failed" }],
    ["451", 451, { message: "Repository access blocked" }],
    ["500", 500, { message: "Server Error" }],
    ["502", 502, "<html>"],
    ["204", 204, ""],
    ["202", 202, {}],
    ["200 with nothing", 200, {}],
    ["200 with a list", 200, []],
    ["200 with null", 200, null],
    ["another repository", 200, { id: 42, full_name: "acme/x", default_branch: "main", owner: { id: 9001 } }],
    ["another branch", 200, { ref: "refs/heads/main2", object: { type: "commit", sha: SHA } }],
    ["a tag in place of a branch", 200, { ref: "refs/tags/main", object: { type: "commit", sha: SHA } }],
    ["an annotated tag in place of a commit", 200, { ref: "refs/heads/main", object: { type: "tag", sha: SHA } }],
    ["half a list", 200, { sha: SHA, tree: [], truncated: true }],
    ["a list that does not say whether it is whole", 200, { sha: SHA, tree: [] }],
    ["another file", 200, { encoding: "base64", content: "Yg==" }],
    ["a file that is no base64", 200, { encoding: "base64", content: "%" }],
    ["a file in another encoding", 200, { encoding: "none", content: "" }],
  ]
  const cases = ROUTES.flatMap(([route, path]) =>
    ANSWERS.map(([name, status, body]) => ({ route, name, path, status, body })),
  )

  test.each(cases)("$name for $route", async ({ path, status, body }) => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    world.api.override(path, { status, body })
    expect((await read()).outcome).toMatch(/^(?:failed|no-access)$/)
  })

  test.each(["reset", "unavailable", "oversized", "garbage", "redirect"] as const)(
    "a request that ends in %s, whichever it is",
    async (how) => {
      world.shop.push({ [`${DIR}/a.yaml`]: "a" })
      await readFiles()
      const count = world.asked().length - 2
      expect(count).toBe(6)
      for (let good = 0; good < count; good += 1) {
        let seen = 0
        const flaky = {
          get: (question: Question) => {
            if (seen++ === good) world.api.fail(how, 1)
            return world.app.get(question)
          },
        }
        const reader = createRepositoryPolicyReader(flaky, world.clock)
        const subject = { unitId: String(SHOP_ID), ownerId: String(ACME.id) }
        expect(await reader.read(subject, null)).toMatchObject({ outcome: "failed" })
        world.api.fail(null)
      }
    },
  )

  test.each(["refs/tags/main", "refs/heads/main2", "main"])(
    "the commit of %s in place of the branch's",
    async (ref) => {
      const sha = world.shop.push({ "README.md": "none here" })
      world.api.override(/\/git\/ref\//, { status: 200, body: { ref, object: { type: "commit", sha } } })
      expect(await read()).toMatchObject({ outcome: "failed", reason: expect.stringContaining("another branch") })
    },
  )

  test("a list that GitHub cuts short", async () => {
    world.shop.truncatesTrees = true
    expect(await read()).toMatchObject({ outcome: "failed", reason: expect.stringContaining("only in part") })
  })

  test("a default branch that has no commit while others have", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" }, "other")
    world.shop.branches.delete("main")
    expect(await read()).toMatchObject({ outcome: "no-access" })
  })

  test.each(["", "a//b", "../x", "a/../b", "./a", "."])(
    "a default branch named %j, which is not asked for",
    async (name) => {
      world.shop.defaultBranch = name
      expect(await read()).toMatchObject({ outcome: "failed" })
      expect(world.asked().filter((line) => line.includes("/git/"))).toEqual([])
    },
  )

  test("a limit", async () => {
    world.api.limit({ kind: "primary", status: 403, resetInSeconds: 120 })
    expect(await read()).toEqual({ outcome: "rate-limited", retryAfterSeconds: 120 })
  })

  test("a reading that takes longer than ten seconds altogether", async () => {
    world.shop.push({ [`${DIR}/a.yaml`]: "a" })
    const slow = {
      get: (question: Question) => {
        world.clock.advance(3)
        return world.app.get(question)
      },
    }
    const subject = { unitId: String(SHOP_ID), ownerId: String(ACME.id) }
    const reading = await createRepositoryPolicyReader(slow, world.clock).read(subject, null)
    expect(reading).toMatchObject({ outcome: "failed", reason: "did not answer in time" })
  })
})
