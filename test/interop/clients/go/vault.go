package main

import (
	"context"
	"os"

	"github.com/hashicorp/vault/api"
)

func vaultSteps(given settings) steps {
	// VAULT_ADDR and VAULT_TOKEN, as Daypass set them.
	client := func() *api.Client {
		made, err := api.NewClient(api.DefaultConfig())
		must(err)
		return made
	}
	read := func(from *api.Client, path string) (any, error) {
		secret, err := from.KVv2(given.Mount).Get(context.Background(), path)
		if err != nil {
			return nil, err
		}
		return secret.Data, nil
	}
	// The client writes with PUT.
	logIn := func(jwt string) (*api.Client, error) {
		made := client()
		made.ClearToken()
		secret, err := made.Logical().Write("auth/jwt/login", map[string]any{"role": given.Role, "jwt": jwt})
		if err != nil {
			return nil, err
		}
		made.SetToken(secret.Auth.ClientToken)
		return made, nil
	}
	return steps{
		{"read", func() (any, error) { return read(client(), given.Path) }},
		{"lookup", func() (any, error) {
			secret, err := client().Auth().Token().LookupSelf()
			if err != nil {
				return nil, err
			}
			return secret.TokenPolicies()
		}},
		{"login", func() (any, error) {
			made, err := logIn(os.Getenv("VAULT_JWT"))
			if err != nil {
				return nil, err
			}
			value, err := read(made, given.Path)
			if err != nil {
				return nil, err
			}
			if err := made.Auth().Token().RevokeSelf(""); err != nil {
				return nil, err
			}
			after := "not forbidden"
			if _, err := read(made, given.Path); err != nil {
				after = "forbidden"
			}
			return map[string]any{"read": value, "after": after}, nil
		}},
		{"foreign", func() (any, error) { return read(client(), given.Foreign) }},
		{"wrongToken", func() (any, error) {
			made := client()
			made.SetToken("s.of-nobody")
			return read(made, given.Path)
		}},
		{"wrongJwt", func() (any, error) { return logIn(os.Getenv("OTHER_JWT")) }},
	}
}
