// Put together here, so that no scanner finds a secret in this file.
const join = (...parts: readonly string[]) => parts.join("")
const random = "x7Kq2mVb9RtYw4Lp8NsZc3Hd6Fj5Ga1Ue"
/** Texts that look like secrets, and are none: what each looks like, and the text. */
export const LITERALS: readonly (readonly [string, string])[] = [
  ["a GitHub token", join("ghp", "_", random.slice(0, 36).padEnd(36, "Q"))],
  [
    "a private key",
    join(
      "-----BEGIN RSA PRIVATE",
      " KEY-----\\nMIIEowIBAAKCAQEAx7Kq2mVb9RtYw4Lp8NsZc3Hd6Fj5Ga1Ue\\n-----END RSA PRIVATE",
      " KEY-----",
    ),
  ],
  ["a Slack token", join("xoxb", "-123456789012-1234567890123-", random.slice(0, 24))],
  ["an age identity", join("AGE-SECRET", "-KEY-1", "QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPZRY9X8GF2TVDW0S3JN54")],
  ["a Connect token", join("eyJhbGciOiJFUzI1NiJ9", ".eyJzdWIiOiJjb25uZWN0In0", ".c2lnbmF0dXJlLW9mLW5vYm9keQ")],
  ["a Vault token", join("hvs", ".", random, random)],
  ["a Doppler token", join("dp.st", ".prd.", random, random)],
]
