// Reads from Vault and from Conjur with their vendors' clients, and finds AWS's session. Prints as JSON what each step gave, or
// the client's own error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/cyberark/conjur-api-go/conjurapi"
	"github.com/hashicorp/vault/api"
)

type settings struct {
	Mount, Path, Foreign, Role string
	Variables                  []string
	Binary, None               string
}

type steps map[string]func() (any, error)

func main() {
	var given settings
	must(json.Unmarshal([]byte(os.Args[2]), &given))
	clients := map[string]func(settings) steps{"vault": vaultSteps, "conjur": conjurSteps, "aws": awsSteps}
	told := map[string]any{}
	for name, step := range clients[os.Args[1]](given) {
		value, err := step()
		if err != nil {
			value = map[string]string{"refused": err.Error()}
		}
		told[name] = value
	}
	must(json.NewEncoder(os.Stdout).Encode(told))
}

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
		"read": func() (any, error) { return read(client(), given.Path) },
		"lookup": func() (any, error) {
			secret, err := client().Auth().Token().LookupSelf()
			if err != nil {
				return nil, err
			}
			return secret.TokenPolicies()
		},
		"login": func() (any, error) {
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
		},
		"foreign": func() (any, error) { return read(client(), given.Foreign) },
		"wrongToken": func() (any, error) {
			made := client()
			made.SetToken("s.of-nobody")
			return read(made, given.Path)
		},
		"wrongJwt": func() (any, error) { return logIn(os.Getenv("OTHER_JWT")) },
	}
}

func conjurSteps(given settings) steps {
	// CONJUR_APPLIANCE_URL, CONJUR_ACCOUNT, CONJUR_AUTHN_JWT_SERVICE_ID, and CONJUR_AUTHN_JWT_TOKEN, which Daypass set.
	config, err := conjurapi.LoadConfig()
	must(err)
	client := func() *conjurapi.Client {
		made, err := conjurapi.NewClientFromEnvironment(config)
		must(err)
		return made
	}
	text := func(value []byte, err error) (any, error) { return string(value), err }
	return steps{
		"one": func() (any, error) { return text(client().RetrieveSecret(given.Variables[0])) },
		"batch": func() (any, error) {
			values, err := client().RetrieveBatchSecrets(given.Variables)
			told := map[string]string{}
			for id, value := range values {
				told[id] = string(value)
			}
			return told, err
		},
		"binary": func() (any, error) {
			values, err := client().RetrieveBatchSecretsSafe([]string{given.Binary})
			for _, value := range values {
				return fmt.Sprintf("%x", value), err
			}
			return nil, err
		},
		"foreign": func() (any, error) { return text(client().RetrieveSecret(given.Foreign)) },
		"none":    func() (any, error) { return text(client().RetrieveSecret(given.None)) },
		"wrongJwt": func() (any, error) {
			other := config
			other.JWTContent = os.Getenv("OTHER_JWT")
			made, err := conjurapi.NewClientFromJwt(other)
			must(err)
			return text(made.RetrieveSecret(given.Variables[0]))
		},
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
