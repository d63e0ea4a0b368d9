import { execFileSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { finished } from "node:stream/promises"
import { createGzip, gzipSync, zstdCompressSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ISSUED, swept } from "./issued.ts"

let root = ""
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "daypass-archive-")))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** The files in a tar archive that the system's own `tar` makes. */
function tar(files: Readonly<Record<string, string | Buffer>>, ...options: string[]): Buffer {
  const folder = mkdtempSync(join(root, "tar-"))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return execFileSync("tar", ["-cf", "-", ...options, ...Object.keys(files)], { cwd: folder, maxBuffer: 2 ** 30 })
}

/** The same in a ZIP that the system's own `zip` makes; to a pipe, so that the sizes come after the data. */
function zip(files: Readonly<Record<string, string | Buffer>>, { isPiped = false, options = ["-q"] } = {}): Buffer {
  const folder = mkdtempSync(join(root, "zip-"))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  const [how, names] = [{ cwd: folder, maxBuffer: 2 ** 30 }, Object.keys(files)]
  if (isPiped) return execFileSync("sh", ["-c", 'zip "$@" | cat', "zip", ...options, "-", ...names], how)
  execFileSync("zip", [...options, "archive.zip", ...names], how)
  return readFileSync(join(folder, "archive.zip"))
}

async function placesIn(bytes: Buffer, milliseconds = 60_000): Promise<string[]> {
  const workspace = join(root, "workspace")
  mkdirSync(workspace, { recursive: true })
  writeFileSync(join(workspace, "named"), bytes)
  return (await swept({ workspace, named: ["named"], milliseconds })).places
}

const text = `a\n${ISSUED}\n`

describe("a value is found", () => {
  test.each<[string, () => Buffer, string]>([
    ["in a file that is named", () => Buffer.from(text), "named:2"],
    ["in gzip", () => gzipSync(text), "named"],
    ["in zstd", () => zstdCompressSync(text), "named"],
    ["in another frame of zstd", () => Buffer.concat([zstdCompressSync("a"), zstdCompressSync(text)]), "named"],
    [
      "after a frame that readers of zstd skip",
      () =>
        Buffer.concat([zstdCompressSync("a"), Buffer.from("5f2a4d1803000000aaaaaa", "hex"), zstdCompressSync(text)]),
      "named",
    ],
    ["in another member of gzip", () => Buffer.concat([gzipSync("a"), gzipSync(text)]), "named"],
    [
      "in a member of gzip after padding",
      () => Buffer.concat([gzipSync("a"), Buffer.alloc(1_000), gzipSync(text)]),
      "named",
    ],
    ["in tar", () => tar({ "a/b": text, c: "" }), "named in a/b"],
    ["in tar inside gzip", () => gzipSync(tar({ "a/b": text })), "named in a/b"],
    ["in gzip inside tar inside gzip", () => gzipSync(tar({ "logs.gz": gzipSync(text) })), "named in logs.gz"],
    ["in a ZIP", () => zip({ "a/b": text, c: randomBytes(2_000) }), "named in a/b"],
    ["in a ZIP that stores", () => zip({ "a/b": text, c: "" }, { options: ["-q", "-0"] }), "named in a/b"],
    [
      "in a ZIP that was written to a pipe",
      () => zip({ a: randomBytes(300_000), b: text, c: "d" }, { isPiped: true }),
      "named in b",
    ],
    ["in tar inside a ZIP", () => zip({ "in.tgz": gzipSync(tar({ deep: text })), z: "z" }), "named in in.tgz / deep"],
    ["in a ZIP inside a ZIP", () => zip({ "in.jar": zip({ deep: text }), z: "z" }), "named in in.jar / deep"],
    ["in tar inside tar", () => tar({ "in.tar": tar({ deep: text }) }), "named in in.tar / deep"],
    [
      "below a long name of GNU's",
      () => tar({ [`${"d".repeat(90)}/${"f".repeat(90)}`]: text }, "--format=gnu"),
      `named in ${"d".repeat(90)}/${"f".repeat(90)}`,
    ],
    [
      "below a long name of pax",
      () => tar({ [`${"d".repeat(90)}/${"f".repeat(90)}`]: text }, "--format=pax"),
      `named in ${"d".repeat(90)}/${"f".repeat(90)}`,
    ],
    ["after a file that is no multiple of a block", () => tar({ a: "x".repeat(513), b: text }), "named in b"],
    [
      "after a link",
      () => {
        symlinkSync("/etc/passwd", join(root, "link"))
        const link = execFileSync("tar", ["-cf", "-", "link"], { cwd: root })
        return Buffer.concat([link.subarray(0, 512), tar({ b: text })])
      },
      "named in b",
    ],
  ])("%s", async (_, make, place) => {
    const bytes = make()
    rmSync(join(root, "link"), { force: true })
    const places = await placesIn(bytes)
    expect([...new Set(places)]).toContain(place)
  })

  test("in a layer of a saved image, in its configuration, and in a folder of the OCI form", async () => {
    const layer = gzipSync(tar({ "app/.env": text, "app/main": randomBytes(2_000) }))
    const written = ISSUED.replaceAll(">", "\\u003e")
    const config = `{"history":[{"created_by":"|1 TOKEN=${written} /bin/sh -c make"}]}`
    const digest = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex")
    const blobs = { [`blobs/sha256/${digest(layer)}`]: layer, [`blobs/sha256/${digest(config)}`]: config }
    const image = tar({ ...blobs, "manifest.json": "[]" })
    expect(await placesIn(image)).toEqual([
      `named in blobs/sha256/${digest(layer)} / app/.env`,
      `named in blobs/sha256/${digest(config)}`,
    ])
    for (const [path, content] of Object.entries(blobs)) {
      mkdirSync(join(root, "oci", dirname(path)), { recursive: true })
      writeFileSync(join(root, "oci", path), content)
    }
    const { findings } = await swept({ workspace: null, named: [join(root, "oci")] })
    expect(findings.map(({ entry }) => entry).sort()).toEqual(["app/.env", undefined])
  })

  test("across the chunks of a large archive", async () => {
    const filler = randomBytes(700_000)
    for (const cut of [0, 1, 200, 511, 512]) {
      const content = Buffer.concat([filler.subarray(0, 262_144 - cut), Buffer.from(ISSUED), filler])
      expect(await placesIn(gzipSync(tar({ big: content }), { level: 1 }))).toEqual(["named in big"])
    }
  })
})

describe("a hostile archive ends in a remark, and what came before it counts", () => {
  test("that is cut off", async () => {
    const packed = gzipSync(tar({ a: text, b: randomBytes(200_000) }))
    expect(await placesIn(packed.subarray(0, -5_000))).toEqual(["named in a", "unread named / b (damaged)"])
  })

  test("whose header does not fit its sum, or whose size is no number", async () => {
    for (const [at, byte] of [
      [0, 0x41],
      [124, 0x7a],
    ] as const) {
      const bytes = Buffer.concat([tar({ a: text }).subarray(0, 1024), tar({ b: text })])
      bytes[1024 + at] = byte
      expect(await placesIn(bytes)).toEqual(["named in a", "unread named (damaged)"])
    }
  })

  test.each([
    ["zstd", () => zstdCompressSync("a")],
    ["gzip", () => Buffer.concat([gzipSync("a"), Buffer.alloc(1)])],
  ])("that goes on as something else after %s", async (_, make) => {
    expect(await placesIn(Buffer.concat([make(), Buffer.from(text)]))).toEqual(["unread named (damaged)"])
  })

  test.each([
    ["frames that are skipped", () => Buffer.concat(Array(500_000).fill(Buffer.from("5f2a4d1800000000", "hex")))],
    ["frames of nothing", () => Buffer.concat(Array(200_000).fill(zstdCompressSync("")))],
  ])("of hundreds of thousands of %s, for which there is no time", async (_, make) => {
    const bytes = Buffer.concat([zstdCompressSync("a"), make(), zstdCompressSync(text)])
    const started = performance.now()
    const places = await placesIn(bytes, 20)
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(places.filter((place) => place.startsWith("unread "))).toContain("unread named (time)")
  })

  test("that takes no room on the disk, and of whose terabyte nothing is read", async () => {
    const [header] = [tar({ a: "" }).subarray(0, 512)]
    const size = 2 ** 40
    header.fill(0, 124, 136)
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(size), 128)
    header.write("        ", 148, "latin1")
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
    const path = join(root, "sparse.tar")
    // A damaged archive inside: the rest of the entry is passed over.
    writeFileSync(path, Buffer.concat([header, Buffer.from("1f8bffffffff", "hex")]))
    truncateSync(path, size)
    const started = performance.now()
    const { places } = await swept({ named: [path], milliseconds: 500 })
    expect(places).toEqual([`unread ${path} / a (damaged)`, `unread ${path} (time)`])
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test("with more archives in each other than anyone builds", async () => {
    let bytes = Buffer.from(text)
    for (let depth = 0; depth < 9; depth++) bytes = gzipSync(bytes)
    expect(await placesIn(bytes)).toEqual(["unread named (nested)"])
  })

  test("that is 7z or xz, which is searched from outside", async () => {
    const packed = Buffer.concat([Buffer.from("377abcaf271c", "hex"), Buffer.from(text)])
    expect((await placesIn(packed)).sort()).toEqual(["named:2", "unread named (archive)"])
  })

  test("that is a ZIP with a password, whose other entries are read", async () => {
    const locked = zip({ locked: text }, { options: ["-q", "-P", "word"] })
    const both = Buffer.concat([locked.subarray(0, locked.indexOf("PK\x01\x02")), zip({ open: text })])
    expect(await placesIn(both)).toEqual(["named in open", "unread named / locked (archive)"])
  })

  test("that is a ZIP which ends early, or in which something else follows an entry", async () => {
    const whole = zip({ a: text, b: randomBytes(3_000) })
    expect(await placesIn(whole.subarray(0, 1_500))).toEqual([
      "named in a",
      "unread named / b (damaged)",
      "unread named (damaged)",
    ])
    const second = whole.indexOf("PK\x03\x04", 4)
    expect(await placesIn(Buffer.concat([whole.subarray(0, second), Buffer.alloc(64)]))).toEqual([
      "named in a",
      "unread named (damaged)",
    ])
  })

  test("that unpacks to more than there is time for", async () => {
    const path = join(root, "bomb.gz")
    const packer = createGzip({ level: 1 })
    const file = createWriteStream(path)
    packer.pipe(file)
    const block = Buffer.alloc(1024 * 1024)
    for (let count = 0; count < 2_000; count++) {
      if (!packer.write(block)) await new Promise<void>((resolve) => packer.once("drain", () => resolve()))
    }
    packer.end()
    await finished(file)
    const started = performance.now()
    const { places } = await swept({ named: [path], milliseconds: 500 })
    expect(places).toEqual([`unread ${path} (time)`])
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test("a size that no disk has is the archive's end", async () => {
    const bytes = tar({ a: text })
    const huge = Buffer.from(bytes)
    huge.write("77777777777\0", 124, "latin1")
    huge.write("        ", 148, "latin1")
    const sum = huge.subarray(0, 512).reduce((total, byte) => total + byte, 0)
    huge.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
    expect(await placesIn(huge)).toEqual(["named in a", "unread named / a (damaged)"])
  })
})
