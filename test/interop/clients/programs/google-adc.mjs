import { GoogleAuth } from "google-auth-library"
import { settings, tell } from "./tell.mjs"

const { endpoint, secret, sleepSeconds } = settings
const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] })

await tell({
  async adc() {
    const client = await auth.getClient()
    const read = async () => {
      const { data } = await client.request({ url: `${endpoint}/v1/${secret}:access` })
      const { token } = await client.getAccessToken()
      return { value: Buffer.from(data.payload.data, "base64").toString("utf8"), token }
    }
    const first = await read()
    await new Promise((resolve) => setTimeout(resolve, sleepSeconds * 1000))
    const second = await read()
    return { read: [first.value, second.value], tokens: new Set([first.token, second.token]).size }
  },
})
