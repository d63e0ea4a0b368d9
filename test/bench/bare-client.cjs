// What the action is measured against: the same two calls over bare node:http, and nothing else. CommonJS, which starts
// faster: importing node:http into an ES module evaluates all its exports, at some 30 ms a start.
// node bare-client.cjs <request url> <request token> <broker> <public JWK> <thumbprint>
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

async function main() {
  const audience = encodeURIComponent(`${broker}?jkt=${thumbprint}`)
  const { value } = JSON.parse(await send(`${requestUrl}&audience=${audience}`, "GET", requestToken))
  await send(`${broker}/v1/exchange`, "POST", value, JSON.stringify({ grants: ["vault"], key: JSON.parse(jwk) }))
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
