"""Reads from Secrets Manager with boto3, as a command of `run`, before and after its first session ends. Prints as JSON what
each step gave, or the client's own error."""

import hashlib
import json
import sys
import time

import boto3

settings = json.loads(sys.argv[1])
session = boto3.Session(profile_name=settings.get("profile"))
client = session.client("secretsmanager")


def read(with_client, name):
    return with_client.get_secret_value(SecretId=name)["SecretString"]


def named(frozen):
    # A name for a session that is not a secret.
    return hashlib.sha256(frozen.access_key.encode()).hexdigest()


def signed_read():
    value = read(client, settings["secret"])
    return {"read": value, "session": named(session.get_credentials().get_frozen_credentials())}


credentials = session.get_credentials()
first = credentials.get_frozen_credentials() if credentials else None
# The same session by hand: it is not renewed.
held = (
    boto3.client(
        "secretsmanager",
        aws_access_key_id=first.access_key,
        aws_secret_access_key=first.secret_key,
        aws_session_token=first.token,
        region_name=client.meta.region_name,
    )
    if first
    else client
)
if first:
    print(f"printed {first.secret_key} {first.token}", flush=True)


def later():
    if first:
        time.sleep(settings["sleepSeconds"])
    return signed_read()


STEPS = {
    "first": signed_read,
    "held": lambda: read(held, settings["secret"]),
    "foreign": lambda: read(client, settings["foreign"]),
    "later": later,
    "over": lambda: read(held, settings["secret"]),
}

told = {}
for name, step in STEPS.items():
    try:
        told[name] = step()
    except Exception as error:
        told[name] = {"refused": f"{type(error).__name__} {error}"}
print(json.dumps(told))
