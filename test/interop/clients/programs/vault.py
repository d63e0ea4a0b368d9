"""Reads from Vault with hvac, and prints as JSON what each step gave, or the client's own error."""

import json
import os
import sys

import hvac

settings = json.loads(sys.argv[1])
# VAULT_ADDR and VAULT_TOKEN, as Daypass set them.
held = hvac.Client()


def read(client):
    answer = client.secrets.kv.v2.read_secret_version(
        path=settings["path"], mount_point=settings["mount"], raise_on_deleted_version=True
    )
    return answer["data"]["data"]


def with_token(token):
    return hvac.Client(token=token)


def log_in(jwt):
    # An empty text: otherwise the client takes the token of the environment to the login.
    client = with_token("")
    client.auth.jwt.jwt_login(role=settings["role"], jwt=jwt)
    return client


def log_in_and_out():
    client = log_in(os.environ["VAULT_JWT"])
    value = read(client)
    client.auth.token.revoke_self()
    try:
        read(client)
    except hvac.exceptions.Forbidden:
        return {"read": value, "after": "forbidden"}
    return {"read": value, "after": "not forbidden"}


def foreign():
    return held.secrets.kv.v2.read_secret_version(
        path=settings["foreign"], mount_point=settings["mount"], raise_on_deleted_version=True
    )


STEPS = {
    "read": lambda: read(held),
    "lookup": lambda: held.auth.token.lookup_self()["data"]["policies"],
    "login": log_in_and_out,
    "foreign": foreign,
    "wrongToken": lambda: read(with_token("s.of-nobody")),
    "wrongJwt": lambda: log_in(os.environ["OTHER_JWT"]),
}

told = {}
for name in settings.get("only", STEPS):
    try:
        told[name] = STEPS[name]()
    except Exception as error:
        told[name] = {"refused": f"{type(error).__name__} {error}"}
print(json.dumps(told))
