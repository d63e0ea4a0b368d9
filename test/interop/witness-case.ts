import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { sha256 } from "@noble/hashes/sha2.js"
import { createNodeHttp } from "../../broker/adapters/node/http.ts"
import { encodeBase64 } from "../../broker/core/checkpoint/base64.ts"
import { parseCheckpoint } from "../../broker/core/checkpoint/checkpoint.ts"
import { formatVerifierKey, keyIdOf } from "../../broker/core/checkpoint/verifier-key.ts"
import { checkpointWorld } from "../support/checkpoint-world.ts"
import { signerOf } from "../support/ed25519.ts"
import { freePort } from "../support/servers.ts"
import { runCommand } from "./command.ts"
import { startProgram } from "./program.ts"
import type { Check } from "./run.ts"
import { installWitness } from "./witness/install.ts"

const BIN = fileURLToPath(new URL("../../cli/bin.js", import.meta.url))
const NAME = "witness.example/interop"
const SEED = 42

/** The log of heads before a witness that others wrote: it cosigns what follows, and nothing else. */
export async function witnessCase(programs: string, check: Check): Promise<void> {
  const program = await installWitness(programs)
  const folder = mkdtempSync(join(tmpdir(), "daypass-witness-"))
  const path = (name: string) => join(folder, name)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const { key } = await signerOf(NAME, SEED, "cosignature")
  const http = createNodeHttp({ userAgent: "daypass-interop" })
  const world = await checkpointWorld([], "all", { key, url, http })
  const broker = world.brokerOf(world.newTrees())
  try {
    // Its key as Go's `note` package keeps it, and our log as its operator would enter it.
    const plain = keyIdOf(NAME, "ed25519", key.publicKey, sha256)
    const seed = encodeBase64(Uint8Array.of(1, ...new Uint8Array(32).fill(SEED)))
    writeFileSync(path("key"), `PRIVATE+KEY+${NAME}+${plain}+${seed}`, { mode: 0o600 })
    await world.append("1", 3)
    await world.follow(broker, "1")
    await world.sign(broker)
    const logKey = ((await broker.checkpoints.policy()) ?? "").split("\n")[0]?.slice("log ".length) ?? ""
    const origin = logKey.split("+")[0]
    writeFileSync(path("logs.yaml"), `Logs:\n  - Origin: ${origin}\n    PublicKey: ${logKey}\n`)
    const args = [
      "--listen",
      `127.0.0.1:${port}`,
      "--private_key_path",
      path("key"),
      "--additional_logs",
      path("logs.yaml"),
    ]
    const witness = await startProgram(program, args, {
      env: { PATH: process.env["PATH"] ?? "", HOME: folder },
      isReady: async () => (await fetch(`${url}/add-checkpoint`, { method: "POST", body: "x" })).status === 400,
    })
    try {
      await cases(check)
    } finally {
      await witness.close()
    }
  } finally {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }

  async function grow(unit: string, records: number): Promise<void> {
    await world.append(unit, records)
    await world.follow(broker, unit)
    await world.sign(broker)
  }

  /** What the published checkpoint is, and who has signed it. */
  async function published(): Promise<{ readonly size: number; readonly signers: readonly string[] }> {
    const checkpoint = parseCheckpoint(new TextEncoder().encode((await broker.checkpoints.latest()) ?? ""))
    assert.ok(checkpoint.ok, checkpoint.ok ? "" : checkpoint.fault)
    return { size: checkpoint.value.size, signers: checkpoint.value.note.signatures.map(({ name }) => name) }
  }

  async function verify(trail: string): Promise<{ readonly exitCode: number | null; readonly output: string }> {
    const args = ["audit", "verify", trail, "--checkpoint", path("proofs"), "--policy", path("policy")]
    return await runCommand(process.execPath, [BIN, ...args], { timeoutMs: 60_000 })
  }

  async function cases(check: Check): Promise<void> {
    await check(
      "the witness cosigns the first checkpoint, and those that follow with a proof from the one before",
      async () => {
        for (const [unit, records] of [
          ["1", 1],
          ["2", 5],
          ["3", 1],
          ["1", 300],
          ["2", 1],
        ] as const) {
          await grow(unit, records)
          const { signers } = await published()
          assert.deepEqual(signers, [(await published()).signers[0], NAME])
        }
        assert.equal((await published()).size, 6)
      },
    )

    await check("a broker that has forgotten what the witness has is told, and proves from there", async () => {
      const read = await broker.states.read()
      assert.ok(read)
      await broker.states.replace(read.version, { ...read.state, witnesses: {} })
      await grow("1", 1)
      assert.deepEqual(await published(), { size: 7, signers: [(await published()).signers[0] ?? "", NAME] })
    })

    await check("daypass audit verify accepts the export by the witness's cosignature, and no other", async () => {
      const trail = await runCommand(process.execPath, [BIN, "audit", "export", "--data", world.folder], {
        timeoutMs: 60_000,
      })
      writeFileSync(path("trail"), trail.output)
      const proofs = await Promise.all(["1", "2", "3"].map((unit) => broker.checkpoints.prove(world.keyOf(unit))))
      writeFileSync(path("proofs"), proofs.join(""))
      writeFileSync(path("policy"), (await broker.checkpoints.policy()) ?? "")
      const good = await verify(path("trail"))
      assert.equal(good.exitCode, 0, good.output)
      assert.match(good.output, new RegExp(`cosigned by ${NAME} at `))
      // The policy of somebody who trusts another witness of this name.
      const stranger = await signerOf(NAME, 7, "cosignature")
      const policy = readFileSync(path("policy"), "utf8")
      writeFileSync(path("policy"), policy.replace(formatVerifierKey(key), formatVerifierKey(stranger.key)))
      const other = await verify(path("trail"))
      assert.equal(other.exitCode, 1, other.output)
      assert.match(other.output, /lacks cosignatures/)
      writeFileSync(path("policy"), policy)
      // A time that the witness did not sign.
      const changed = proofs.join("").replace(/(\u2014 witness\S+ .{8})./g, "$1B")
      writeFileSync(path("proofs"), changed)
      const tampered = await verify(path("trail"))
      assert.equal(tampered.exitCode, 1, tampered.output)
      assert.match(tampered.output, /the signature of witness.example\/interop is wrong/)
      writeFileSync(path("proofs"), proofs.join(""))
    })

    await check("the witness refuses a log that was set back, and the broker says so", async () => {
      const read = await broker.states.read()
      assert.ok(read)
      const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      await broker.states.replace(read.version, { ...read.state, size: 0, root: empty, published: null })
      const fork = world.brokerOf(world.newTrees())
      for (let at = 0; at < 9; at += 1) {
        await world.append(`fork-${at}`, 1)
        await world.follow(fork, `fork-${at}`)
      }
      await world.sign(fork)
      const [told] = Object.values((await fork.states.read())?.state.witnesses ?? {})
      assert.match(told?.failing?.reason ?? "", /the log was set back to an older state/)
      assert.equal(told?.size, 7)
      const proof = (await fork.checkpoints.prove(world.keyOf("fork-1"))) ?? ""
      assert.doesNotMatch(proof, new RegExp(`\u2014 ${NAME}`))
      writeFileSync(path("proofs"), proof)
      const refused = await verify(path("trail"))
      assert.equal(refused.exitCode, 1, refused.output)
      assert.match(refused.output, /it has those of: no witness/)
    })
  }
}
