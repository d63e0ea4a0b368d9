"""Reads from Secret Manager by Application Default Credentials, once more when its first access token is over. Prints as JSON
what each step gave, or the client's own error."""

import base64
import json
import sys
import time

import google.auth
from google.auth.transport.requests import AuthorizedSession

settings = json.loads(sys.argv[1])
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


credentials, _ = google.auth.default(scopes=SCOPES)
session = AuthorizedSession(credentials)


def read():
    answer = session.get(f"{settings['endpoint']}/v1/{settings['secret']}:access")
    answer.raise_for_status()
    return base64.b64decode(answer.json()["payload"]["data"]).decode()


def adc():
    first, first_token = read(), credentials.token
    time.sleep(settings["sleepSeconds"])
    return {"read": [first, read()], "tokens": len({first_token, credentials.token})}


told = {}
try:
    told["adc"] = adc()
except Exception as error:
    told["adc"] = {"refused": f"{type(error).__name__} {error}"}
print(json.dumps(told))
