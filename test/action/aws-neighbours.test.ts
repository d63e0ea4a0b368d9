import { describe, expect, test } from "vitest"
import { granted, play } from "./story.ts"

const key = (more = {}) => ({
  values: {
    id: { value: "AKIASTATICKEYID", secret: false, env: "AWS_ACCESS_KEY_ID" },
    key: { value: "static-secret-key", secret: true, env: "AWS_SECRET_ACCESS_KEY" },
    ...more,
  },
})
const sessionToken = { token: { value: "token-of-session", secret: true, env: "AWS_SESSION_TOKEN" } }
const old = { AWS_SESSION_TOKEN: "old", AWS_SECURITY_TOKEN: "old" }

async function set(credential: ReturnType<typeof key>, env: Record<string, string>, deliver = "environment") {
  const { run } = await play(granted({ g: credential }), { inputs: { grants: "g", deliver }, env: () => env })
  expect(run.exitCode).toBe(0)
  return run
}

describe("a delivered AWS key", () => {
  test("without a session token never stays beside the token of older keys", async () => {
    const { env } = await set(key(), old)
    expect(env).toMatchObject({ AWS_ACCESS_KEY_ID: "AKIASTATICKEYID", AWS_SESSION_TOKEN: "", AWS_SECURITY_TOKEN: "" })
  })

  test("with a session token blanks the older name of another one, which botocore reads first", async () => {
    const { env } = await set(key(sessionToken), old)
    expect([env["AWS_SESSION_TOKEN"], env["AWS_SECURITY_TOKEN"]]).toEqual(["token-of-session", ""])
  })

  test("sets no empty variable where the job has no token", async () => {
    const { env } = await set(key(), { AWS_SESSION_TOKEN: "" })
    expect(Object.keys(env)).toEqual(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
  })

  test.each(["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])("warns of %s in the job", async (name) => {
    const { log } = await set(key(), { [name]: "old" })
    expect(log).toContain(`::warning title=Daypass::This job has ${name}. With it, some AWS SDKs`)
  })

  test("says nothing of it with outputs, nor when no key is delivered", async () => {
    const other = { values: { v: { value: "a-value-of-eight", secret: true, env: "TOKEN" } } }
    const env = { AWS_PROFILE: "old", ...old }
    for (const run of [await set(key(), env, "outputs"), await set(other as never, env)]) {
      expect(run.log).not.toContain("::warning")
      expect(run.env).not.toHaveProperty("AWS_SESSION_TOKEN")
    }
  })
})
