import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { type ActWorld, workflow } from "./act-world.ts"
import type { Check } from "./run.ts"

/** Fetches the session as AWS's SDKs do, and prints it. */
const FETCH = `node -e '
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env
  fetch(url, { headers: { authorization } }).then((answer) => answer.json()).then((session) => {
    console.log("printed", session.SecretAccessKey, session.Token)
    console.log("digest", require("node:crypto").createHash("sha256").update(session.SecretAccessKey).digest("hex"))
  })'`

/** The input `run`: its command, and no later step, gets the credentials. */
export async function actRunCase({ sts, broker, repository, act, asked }: ActWorld, check: Check): Promise<void> {
  const use = (run: string, more = "") => `
- uses: ./.github/actions/daypass
${more}  with:
    broker: ${broker.url}
    grants: aws-deploy
    run: |
${run.replace(/^(?=.)/gm, "      ")}`
  const steps = `${use(`${FETCH}\necho "::stop-commands::left-behind"`, "  id: first\n")}
- run: |
    echo "later [$AWS_CONTAINER_CREDENTIALS_FULL_URI] [$AWS_SECRET_ACCESS_KEY] [$AWS_CONFIG_FILE]"
    echo "lease \${{ steps.first.outputs.lease }}"
    echo "left [$(cd "$RUNNER_TEMP" && find . -path './daypass-*' -type f | sed 's|.*/||')]"
${use("exit 7", "  id: failing\n  continue-on-error: true\n")}
- run: echo "outcome \${{ steps.failing.outcome }}"
`
  const statuses = async (runId: string, count: number) =>
    (await asked(runId, "revoke", count)).map(({ status }) => status)
  const before = sts.issued.length
  const { exitCode, log } = await act(await repository("run", workflow(steps)), { runId: "3004" })
  const [issued] = sts.issued.slice(before)

  await check("act runs a command that alone gets the credentials, masked where it prints them", () => {
    assert.equal(exitCode, 0, log)
    const digest = createHash("sha256")
      .update(issued?.secretAccessKey ?? "")
      .digest("hex")
    assert.ok(log.includes(`digest ${digest}`), log)
    assert.ok(log.includes("printed *** ***"), log)
    for (const secret of [issued?.secretAccessKey, issued?.sessionToken])
      assert.ok(secret !== undefined && !log.includes(secret))
  })
  await check("a later step has nothing of them but the lease's id, and fingerprints for the leak sweep", () => {
    assert.ok(log.includes("| later [] [] []"), log)
    assert.match(log, /\| lease [0-9a-f]{8}-[0-9a-f]{4}-7/)
    assert.ok(log.includes("| left [issued.json]"), log)
  })
  await check("a stop of commands that the command left behind is over when the action goes on", () => {
    // act shows a command as it came while commands are stopped, and a mask that it takes as stars.
    assert.match(log, /::left-behind::\n[^\n]*⚙ {2}\*\*\*\n[^\n]*Cannot revoke/)
    assert.ok(!log.includes("::add-mask::"), log)
  })
  await check("the exit code of the command is the step's, and its lease is revoked all the same", async () => {
    assert.ok(log.includes("Process completed with exit code 7."), log)
    assert.ok(log.includes("| outcome failure"), log)
    assert.deepEqual(await statuses("3004", 2), [200, 200])
  })
  await check("post steps look for leaks, and have nothing left to revoke", () => {
    const post = log.slice(log.indexOf("⭐ Run Post"))
    assert.ok(!post.includes("revoke"), post)
    assert.equal(post.match(/The leak sweep read .* found no value of this step/g)?.length, 2, post)
  })

  await check("a cancelled job kills the action, and its post step revokes the lease", async () => {
    const command = 'echo "pid $$"; exec sleep 60'
    let pid = 0
    const cancelled = await act(
      await repository("cancel", workflow(use(command))),
      { runId: "3005" },
      (shown, send) => {
        if (pid !== 0 || !/\| pid (\d+)/.test(shown)) return
        pid = Number(/\| pid (\d+)/.exec(shown)?.[1])
        send("SIGINT")
      },
    )
    // act kills the action alone, at once. GitHub's runner ends what a job leaves behind, and act does not.
    process.kill(pid, "SIGKILL")
    assert.notEqual(cancelled.exitCode, 0)
    assert.match(cancelled.log, /has been cancelled: signal: killed/)
    assert.match(cancelled.log, /⭐ Run Post [^\n]+\n[^\n]+\*\*\*\n[^\n]+Cannot revoke aws-deploy/)
    assert.deepEqual(await statuses("3005", 1), [200])
  })
}
