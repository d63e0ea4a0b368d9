// What the action is measured against: the same two calls over bare node:http, and nothing else. CommonJS, which starts
// faster: importing node:http into an ES module evaluates all its exports, at some 30 ms a start.
// node bare-client.cjs <request url> <request token> <broker> <public JWK> <thumbprint>
//   with somebody else's key: it cannot read the answer
// node bare-client.cjs <request url> <request token> <broker>
//   with a key of its own, which it makes and with which it opens the answer, as each client of a bound exchange must
const { request } = require("node:http")

const [requestUrl, requestToken, broker, jwk, thumbprint] = process.argv.slice(2)

function send(url, method, bearer, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${bearer}`, ...(body && { "content-type": "application/json" }) }
    const sending = request(url, { method, headers }, (response) => {
      let text = ""
      response.on("data", (chunk) => {
        text += chunk
      })
      response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))))
    })
    sending.on("error", reject)
    sending.end(body)
  })
}

function ownKey() {
  const { createDecipheriv, createECDH, createHash } = require("node:crypto")
  const key = createECDH("prime256v1")
  const point = key.generateKeys()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url"))
  const sha256 = (text) => createHash("sha256").update(text).digest()
  return {
    jwk: { kty: "EC", crv: "P-256", x, y },
    thumbprint: sha256(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).toString("base64url"),
    open(jwe) {
      const [header, , iv, text, tag] = jwe.split(".")
      const { epk } = JSON.parse(Buffer.from(header, "base64url"))
      const sender = Buffer.concat([Buffer.of(4), Buffer.from(epk.x, "base64url"), Buffer.from(epk.y, "base64url")])
      const info = Buffer.from("000000074132353647434d000000000000000000000100", "hex")
      const secret = sha256(Buffer.concat([Buffer.of(0, 0, 0, 1), key.computeSecret(sender), info]))
      const decipher = createDecipheriv("aes-256-gcm", secret, Buffer.from(iv, "base64url"))
      decipher.setAAD(Buffer.from(header)).setAuthTag(Buffer.from(tag, "base64url"))
      return JSON.parse(decipher.update(text, "base64url", "utf8") + decipher.final("utf8"))
    },
  }
}

async function main() {
  const key = thumbprint === undefined ? ownKey() : { jwk: JSON.parse(jwk), thumbprint, open: () => undefined }
  const audience = encodeURIComponent(`${broker}?jkt=${key.thumbprint}`)
  const { value } = JSON.parse(await send(`${requestUrl}&audience=${audience}`, "GET", requestToken))
  const body = JSON.stringify({ grants: ["vault"], key: key.jwk })
  key.open(await send(`${broker}/v1/exchange`, "POST", value, body))
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
